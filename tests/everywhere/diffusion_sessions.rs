//! Sessions on the text-to-image model: gradients, banks, checkpoints, divergence, and what is refused. A software WebGPU adapter
//! takes minutes for them.

use burn::tensor::{Tensor, TensorData};
use riemann_lora::{
    kernel::ProductPrecision,
    model::{Adapters, Context, Target, WeightForm},
    optim::{OptimizerSettings, UpdateRule},
    train::{Session, SessionSettings, StepReport, Trainable, gradients::PassSettings},
};

use crate::diffusion::{adapters, assert_outputs, batch, golden, model, outputs_of};
use crate::support::{difference, norm, settings, values};

pub fn optimizers() -> Vec<OptimizerSettings> {
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

pub async fn factors(session: &Session, run: usize) -> Vec<f32> {
    factors_of(&session.adapters().run(run)).await
}

pub async fn factors_of(adapters: &Adapters) -> Vec<f32> {
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
    async fn a_step_on_pictures_in_parts_is_the_step() {
        let golden = golden();
        let model = model(&golden).await;
        let batch = batch(&golden);
        assert!(batch.rows > 1);
        let begin = |micro_batch_size| {
            let wanted = SessionSettings { rank: 2, dropout: 0.2, micro_batch_size, ..settings(optimizers()) };
            Session::new(&model, wanted).unwrap()
        };
        let (mut whole, mut parts) = (begin(0), begin(1));
        let mut workers = [begin(0), begin(0)];
        let losses = |report: StepReport| report.runs.iter().map(|run| run.loss.unwrap()).collect::<Vec<_>>();
        for step in 0..3 {
            let expected = losses(whole.step(&model, &batch).await.unwrap());
            let mut found = vec![losses(parts.step(&model, &batch).await.unwrap())];
            let mut shards = Vec::new();
            for (index, worker) in workers.iter_mut().enumerate() {
                shards.push(worker.shard(&model, &batch, index, 2).await.unwrap());
            }
            for worker in &mut workers {
                found.push(losses(worker.step_with_shards(&shards, &model.device).await.unwrap()));
            }
            for (run, expected) in expected.iter().enumerate() {
                for found in &found {
                    assert!((found[run] - expected).abs() < 1e-5, "step {step}, run {run}: {found:?}, {expected}");
                }
            }
        }
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
        assert!(refused(|s| s.targets = vec![Target::QProj; 2]).to_string().contains("once"));
        assert!(refused(|s| s.gradient_checkpointing = true).to_string().contains("micro_batch_size"));
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
    async fn gradients_of_all_factors_are_the_finite_differences() {
        use rand::{Rng, SeedableRng};

        let golden = golden();
        for form in [WeightForm::Dense, WeightForm::Packed] {
            let model = model(&golden).await.in_form(form);
            let adapters = adapters(&golden, &model).run(0);
            let gradients = {
                let batch = batch(&golden);
                let whole = PassSettings { dropout: None, whole: batch.rows, precision: ProductPrecision::Single, gradient_checkpointing: false };
                model.forward_pass(&adapters, &batch, whole).unwrap().backward().banks
            };
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
