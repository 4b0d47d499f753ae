//! The text-to-image model against a second implementation in float64: captions, velocities, losses and drawn pictures, of
//! the base and of two runs in a bank.

use burn::tensor::{Tensor, TensorData};
use riemann_lora::{
    diffusion::{
        DiffusionConfig, DiffusionModel, DiffusionWeights, FlowBatch, SampleSettings, Sampler,
        Words, adapter_file, draw::Order,
    },
    messages::{DrawSettings, SessionSettings, StepReport},
    model::{AdapterShape, Adapters, Bank, Context, Target},
    optim::{OptimizerSettings, UpdateRule},
    train::Session,
};
#[cfg(not(feature = "webgpu"))]
use riemann_lora::{model::WeightForm, train::gradients::Pass};
use serde::Deserialize;

use crate::support::{device, difference, norm, settings, values};

#[derive(Deserialize)]
struct Golden {
    config: DiffusionConfig,
    times: Vec<f64>,
    ids: Vec<i32>,
    patches: Vec<f32>,
    target: Vec<f32>,
    sampling: GoldenSampling,
    base: Outputs,
    adapters: GoldenAdapters,
}

#[derive(Deserialize)]
struct GoldenSampling {
    steps: u32,
    guidance: f64,
    seed: u64,
}

#[derive(Deserialize)]
struct Outputs {
    text: Vec<f32>,
    velocity: Vec<f32>,
    losses: Vec<f32>,
    sample: Vec<f32>,
}

#[derive(Deserialize)]
struct GoldenAdapters {
    rank: usize,
    alpha: f64,
    blocks: Vec<Vec<GoldenBank>>,
    runs: Vec<Outputs>,
}

#[derive(Deserialize)]
struct GoldenBank {
    a: Vec<f32>,
    b: Vec<f32>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../fixtures/diffusion/golden.json")).unwrap()
}

async fn model(golden: &Golden) -> DiffusionModel {
    let bytes = include_bytes!("../fixtures/diffusion/weights.safetensors");
    let weights = DiffusionWeights::read(&golden.config, bytes, &device().await).unwrap();
    weights.model()
}

fn adapters(golden: &Golden, model: &DiffusionModel) -> Adapters {
    let GoldenAdapters {
        rank, alpha, runs, ..
    } = &golden.adapters;
    let runs = runs.len();
    let tensor = |values: &[f32], shape: [usize; 3]| {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &model.device)
    };
    let bank = |bank: &GoldenBank| Bank {
        a: tensor(&bank.a, [runs, *rank, bank.a.len() / runs / rank]),
        b: tensor(&bank.b, [runs, bank.b.len() / runs / rank, *rank]),
    };
    let blocks = &golden.adapters.blocks;
    let shape = AdapterShape {
        rank: *rank,
        alpha: *alpha,
        targets: Target::LLAMA.to_vec(),
    };
    let banks = blocks.iter().map(|banks| banks.iter().map(bank).collect());
    Adapters::of_blocks(shape, runs, banks.collect())
}

fn assert_close(what: &str, found: &[f32], wanted: &[f32]) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (index, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let allowed = 1e-4 * (1.0 + wanted.abs());
        assert!(
            (found - wanted).abs() < allowed,
            "{what}: value {index} is {found} and not {wanted}"
        );
    }
}

/// The outputs of all runs, one after the other.
async fn outputs(golden: &Golden, adapters: Option<&Adapters>) -> Outputs {
    outputs_of(&model(golden).await, golden, adapters).await
}

async fn outputs_of(
    model: &DiffusionModel,
    golden: &Golden,
    adapters: Option<&Adapters>,
) -> Outputs {
    let runs = adapters.map_or(1, |adapters| adapters.runs);
    let context = Context {
        adapters,
        ..Context::default()
    };
    let text = model.encode(&golden.ids.repeat(runs), &context);
    let shape = [2, golden.config.patches(), golden.config.patch_values()];
    let data = TensorData::new(golden.patches.clone(), shape);
    let patches = Tensor::<3>::from_data(data, &model.device).repeat_dim(0, runs);
    let velocity = model.velocity(patches, &golden.times.repeat(runs), text.clone(), &context);
    let batch = FlowBatch {
        rows: 2,
        ids: golden.ids.clone(),
        times: golden.times.clone(),
        noisy: golden.patches.clone(),
        velocity: golden.target.clone(),
    };
    let losses = batch.losses(model, &context);
    let GoldenSampling {
        steps,
        guidance,
        seed,
    } = golden.sampling;
    let settings = SampleSettings {
        steps,
        guidance,
        seed,
    };
    let mut sampler = Sampler::new(model, adapters, &golden.ids, settings);
    while !sampler.is_finished() {
        sampler.step();
    }
    Outputs {
        text: values(text).await,
        velocity: values(velocity).await,
        losses: values(losses).await,
        sample: sampler.values().await.unwrap(),
    }
}

fn assert_outputs(found: &Outputs, wanted: &Outputs) {
    assert_close("text", &found.text, &wanted.text);
    assert_close("velocity", &found.velocity, &wanted.velocity);
    assert_close("losses", &found.losses, &wanted.losses);
    assert_close("sample", &found.sample, &wanted.sample);
}

everywhere! {
    async fn the_base_computes_and_draws_what_the_second_implementation_does() {
        let golden = golden();
        let found = outputs(&golden, None).await;
        assert_outputs(&found, &golden.base);
    }
}

everywhere! {
    async fn two_runs_in_a_bank_are_each_what_the_second_implementation_is_alone() {
        let golden = golden();
        let adapters = adapters(&golden, &model(&golden).await);
        let found = outputs(&golden, Some(&adapters)).await;
        for (run, wanted) in golden.adapters.runs.iter().enumerate() {
            let part = |values: &[f32]| {
                let length = values.len() / golden.adapters.runs.len();
                values[run * length..(run + 1) * length].to_vec()
            };
            let found = Outputs {
                text: part(&found.text),
                velocity: part(&found.velocity),
                losses: part(&found.losses),
                sample: part(&found.sample),
            };
            assert_outputs(&found, wanted);
        }
    }
}

fn optimizers() -> Vec<OptimizerSettings> {
    vec![
        OptimizerSettings::adamw(1e-2),
        OptimizerSettings::scaled_adamw(1e-2),
        OptimizerSettings {
            rule: UpdateRule::Sgd,
            max_grad_norm: Some(1.0),
            ..OptimizerSettings::scaled_adamw(1e-1)
        },
    ]
}

/// A session of these runs, its loss at each of six steps, and itself.
async fn train(runs: Vec<(OptimizerSettings, f64)>) -> (Session, Vec<Vec<f64>>) {
    let golden = golden();
    let model = model(&golden).await;
    let (optimizers, text_lr): (Vec<_>, Vec<f64>) = runs.into_iter().unzip();
    let mut wanted = SessionSettings {
        rank: 2,
        ..settings(optimizers)
    };
    for (run, lr) in wanted.runs.iter_mut().zip(text_lr) {
        run.text_lr = Some(lr);
    }
    let mut session = Session::new(&model, wanted).unwrap();
    let mut losses = Vec::new();
    for _ in 0..6 {
        let report = session.step(&model, &batch(&golden)).await.unwrap();
        losses.push(report.runs.iter().map(|run| run.loss.unwrap()).collect());
    }
    (session, losses)
}

fn batch(golden: &Golden) -> FlowBatch {
    FlowBatch {
        rows: 2,
        ids: golden.ids.clone(),
        times: golden.times.clone(),
        noisy: golden.patches.clone(),
        velocity: golden.target.clone(),
    }
}

async fn factors(session: &Session, run: usize) -> Vec<f32> {
    factors_of(&session.adapters().run(run)).await
}

async fn factors_of(adapters: &Adapters) -> Vec<f32> {
    let mut all = Vec::new();
    for bank in adapters.banks() {
        all.extend(values(bank.a.clone()).await);
        all.extend(values(bank.b.clone()).await);
    }
    all
}

everywhere! {
    async fn a_run_in_a_bank_is_the_run_alone() {
        let runs: Vec<_> = optimizers().into_iter().zip([1e-3, 5e-2, 1e-2]).collect();
        let (together, losses) = train(runs.clone()).await;
        for (run, settings) in runs.into_iter().enumerate() {
            let (alone, own) = train(vec![settings]).await;
            for (step, own) in own.iter().enumerate() {
                assert!((own[0] - losses[step][run]).abs() < 1e-5, "run {run}, step {step}");
            }
            assert!(own[5][0] < own[0][0] - 1e-3, "run {run} learned nothing: {own:?}");
            let found = factors(&together, run).await;
            assert!(difference(&found, &factors(&alone, 0).await) < 1e-4, "run {run}");
        }
    }
}

everywhere! {
    async fn text_encoder_and_denoiser_have_learning_rates_of_their_own() {
        let run = OptimizerSettings { weight_decay: 0.0, ..OptimizerSettings::adamw(1e-2) };
        let (session, _) = train(vec![(run, 0.0)]).await;
        let moved = async |blocks: std::ops::Range<usize>| {
            let mut norms = Vec::new();
            for bank in session.adapters().blocks[blocks].iter().flatten() {
                norms.extend(values(bank.b.clone()).await.into_iter().map(f64::from));
            }
            norm(norms)
        };
        assert_eq!(moved(0..2).await, 0.0);
        assert!(moved(2..4).await > 1e-2);
    }
}

everywhere! {
    async fn a_resumed_image_session_is_the_uninterrupted_one() {
        let golden = golden();
        let model = model(&golden).await;
        let (mut session, _) = train(optimizers().into_iter().map(|run| (run, 1e-3)).collect()).await;
        let kept = session.checkpoint().await.unwrap();
        let mut resumed = Session::resume(&model, &kept).unwrap();
        for _ in 0..3 {
            let expected = session.step(&model, &batch(&golden)).await.unwrap();
            let found = resumed.step(&model, &batch(&golden)).await.unwrap();
            assert_eq!(found.step, expected.step);
            let losses = |report: &StepReport| report.runs.iter().map(|run| run.loss).collect::<Vec<_>>();
            assert_eq!(losses(&found), losses(&expected));
        }
    }
}

everywhere! {
    async fn a_diverged_run_leaves_the_others_as_they_are() {
        let golden = golden();
        let model = model(&golden).await;
        let sane = OptimizerSettings::adamw(1e-2);
        let wild = OptimizerSettings { rule: UpdateRule::Sgd, lr: 1e30, ..sane };
        let start = |runs| Session::new(&model, SessionSettings { rank: 2, ..settings(runs) }).unwrap();
        let (mut both, mut alone) = (start(vec![wild, sane]), start(vec![sane]));
        for _ in 0..4 {
            let found = both.step(&model, &batch(&golden)).await.unwrap();
            let expected = alone.step(&model, &batch(&golden)).await.unwrap();
            let (found, expected) = (found.runs[1].loss.unwrap(), expected.runs[0].loss.unwrap());
            assert!((found - expected).abs() < 1e-5);
        }
        assert!(both.diverged_at()[0].is_some());
        assert_eq!(both.diverged_at()[1], None);
    }
}

everywhere! {
    async fn settings_that_make_no_sense_are_refused() {
        let model = model(&golden()).await;
        let refused = |change: fn(&mut SessionSettings)| {
            let mut wanted = SessionSettings { rank: 2, ..settings(optimizers()) };
            change(&mut wanted);
            Session::new(&model, wanted).unwrap_err()
        };
        assert!(refused(|s| s.rank = 17).to_string().contains("between 1 and 16"));
        assert!(refused(|s| s.targets = vec![Target::CAttn]).to_string().contains("c_attn"));
        assert!(refused(|s| s.targets.clear()).to_string().contains("at least one"));
        for lr in [f64::NAN, -1.0] {
            let mut wanted = SessionSettings { rank: 2, ..settings(optimizers()) };
            wanted.runs[1].text_lr = Some(lr);
            let error = Session::new(&model, wanted).unwrap_err();
            assert_eq!(error.field().as_deref(), Some("runs.1.text_lr"));
        }
    }
}

everywhere! {
    /// As the page's CPU module holds them.
    #[cfg(not(feature = "webgpu"))]
    async fn packed_weights_compute_and_draw_the_same() {
        let golden = golden();
        let dense = model(&golden).await;
        let packed = dense.clone().in_form(WeightForm::Packed);
        assert_eq!(packed.held_bytes(), dense.held_bytes());
        let found = outputs_of(&packed, &golden, None).await;
        assert_outputs(&found, &golden.base);
    }
}

everywhere! {
    #[cfg(not(feature = "webgpu"))]
    async fn gradients_of_all_factors_are_the_finite_differences() {
        use rand::{Rng, SeedableRng};

        let golden = golden();
        for form in [WeightForm::Dense, WeightForm::Packed] {
            let model = model(&golden).await.in_form(form);
            let adapters = adapters(&golden, &model).run(0);
            let gradients = Pass::of_pictures(&model, &adapters, None, &batch(&golden)).backward().banks;
            let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
            let mut direction = Vec::new();
            let mut slope = 0.0;
            for gradient in &gradients {
                for tensor in [&gradient.a, &gradient.b] {
                    let along: Vec<f32> = values(tensor.clone()).await;
                    let chance: Vec<f32> = along.iter().map(|_| random.random_range(-1.0..1.0)).collect();
                    slope += along.iter().zip(&chance).map(|(g, d)| f64::from(g * d)).sum::<f64>();
                    direction.push(chance);
                }
            }
            let loss_at = async |length: f32| {
                let mut moved = adapters.clone();
                let factors = moved.banks_mut().flat_map(|bank| [&mut bank.a, &mut bank.b]);
                for (factor, direction) in factors.zip(&direction) {
                    let data = TensorData::new(direction.clone(), factor.dims());
                    *factor = factor.clone() + Tensor::from_data(data, &model.device).mul_scalar(length);
                }
                let context = Context { adapters: Some(&moved), ..Context::default() };
                let losses = values(batch(&golden).losses(&model, &context)).await;
                losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len() as f64
            };
            // Long enough that f32's rounding of the losses is a thousandth of their difference.
            let length = 1e-3;
            let difference = (loss_at(length).await - loss_at(-length).await) / f64::from(2.0 * length);
            let error = (difference - slope).abs() / slope.abs();
            assert!(error < 2e-2, "{form:?}: the slope is {slope}, and differences say {difference}");
        }
    }
}

fn order(runs: &[u32], include_base: bool) -> DrawSettings {
    DrawSettings {
        captions: vec!["red apple".into(), "zib".into()],
        steps: 2,
        guidance: 3.0,
        seed: 4,
        runs: runs.to_vec(),
        include_base,
    }
}

everywhere! {
    async fn lanes_draw_what_each_run_and_the_base_draw_alone() {
        let golden = golden();
        let model = model(&golden).await;
        let adapters = adapters(&golden, &model);
        let words = Words::new("apple\nred");
        let reading = (&words, golden.config.caption_length);
        let draw = async |settings: &DrawSettings, adapters: Option<&Adapters>| {
            let order = Order::new(settings, reading, adapters, &[None, None]).unwrap();
            let mut sampler = order.sampler(&model);
            while !sampler.is_finished() {
                sampler.step();
            }
            (order.lanes.clone(), sampler.values().await.unwrap())
        };
        let (lanes, all) = draw(&order(&[1], true), Some(&adapters)).await;
        assert_eq!(lanes, [None, Some(1)]);
        let (base, run) = all.split_at(all.len() / 2);
        let (_, own) = draw(&order(&[], true), None).await;
        assert_close("base", base, &own);
        let second = adapters.run(1);
        let (_, own) = draw(&order(&[0], false), Some(&second)).await;
        assert_close("run", run, &own);
        assert!(difference(base, run) > 1e-3);
    }
}

everywhere! {
    async fn what_cannot_be_drawn_is_refused_by_field() {
        let golden = golden();
        let model = model(&golden).await;
        let adapters = adapters(&golden, &model);
        let words = Words::new("apple");
        let refused = |change: fn(&mut DrawSettings)| {
            let mut wanted = order(&[0], true);
            change(&mut wanted);
            let order = Order::new(&wanted, (&words, 3), Some(&adapters), &[None, Some(3)]);
            order.map(|order| order.lanes).map_err(|error| error.field)
        };
        assert_eq!(refused(|s| s.captions.clear()), Err("captions"));
        assert_eq!(refused(|s| s.captions = vec![String::new(); 65]), Err("captions"));
        assert_eq!(refused(|s| s.steps = 0), Err("steps"));
        assert_eq!(refused(|s| s.steps = 201), Err("steps"));
        assert_eq!(refused(|s| s.guidance = f64::NAN), Err("guidance"));
        assert_eq!(refused(|s| s.guidance = -1.0), Err("guidance"));
        assert_eq!(refused(|s| s.runs = vec![2]), Err("runs"));
        // Run 1 has diverged: it has nothing to draw with.
        assert_eq!(refused(|s| s.runs = vec![0, 1]), Ok(vec![None, Some(0)]));
    }
}

everywhere! {
    async fn an_adapter_comes_back_as_it_left() {
        let golden = golden();
        let model = model(&golden).await;
        let adapters = adapters(&golden, &model);
        let bytes = adapter_file::write(&model, &adapters, 1, "icons").await.unwrap();
        let read = adapter_file::read(&model, &bytes).unwrap();
        assert_eq!(read.base.as_deref(), Some("icons"));
        assert_eq!(read.adapters.shape, adapters.shape);
        let own = adapters.run(1);
        for (found, wanted) in read.adapters.banks().zip(own.banks()) {
            assert_eq!(values(found.a.clone()).await, values(wanted.a.clone()).await);
            assert_eq!(values(found.b.clone()).await, values(wanted.b.clone()).await);
        }
        let names = String::from_utf8_lossy(&bytes[..bytes.len().min(20_000)]).into_owned();
        assert!(names.contains("base_model.model.text.blocks.0.q_proj.lora_A.weight"));
        assert!(names.contains("base_model.model.blocks.1.down_proj.lora_B.weight"));
        let wanted = SessionSettings { rank: golden.adapters.rank as u32, alpha: golden.adapters.alpha, targets: Target::LLAMA.to_vec(), ..settings(optimizers()) };
        let session = Session::starting_from(&model, wanted, &read.adapters).unwrap();
        assert_eq!(factors(&session, 2).await, factors_of(&own).await);
    }
}

everywhere! {
    async fn what_is_no_adapter_of_this_model_is_refused() {
        let golden = golden();
        let model = model(&golden).await;
        let adapters = adapters(&golden, &model);
        let bytes = adapter_file::write(&model, &adapters, 0, "icons").await.unwrap();
        let refused = |bytes: &[u8]| adapter_file::read(&model, bytes).unwrap_err().to_string();
        assert!(refused(&[]).contains("no safetensors file"));
        assert!(refused(&bytes[..bytes.len() / 2]).contains("use one that this page exported"));
        let edited = |from: &str, to: &str| {
            assert_eq!(from.len(), to.len());
            let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
            let mut edited = bytes.clone();
            edited[at..at + from.len()].copy_from_slice(to.as_bytes());
            edited
        };
        assert!(refused(&edited("LORA", "LOHA")).contains("peft_type is LOHA"));
        assert!(refused(&edited("adapter_config", "other_settings")).contains("has no adapter_config"));
        assert!(refused(&edited("text.blocks.0.q_proj.lora_A", "text.blocks.9.q_proj.lora_A")).contains("missing"));
        let weights = include_bytes!("../fixtures/diffusion/weights.safetensors");
        assert!(refused(weights).contains("has no adapter_config"));
    }
}
