//! The text-to-image model against a second implementation in float64: captions, velocities, losses and drawn pictures, of
//! the base and of two runs in a bank, and the first steps of a session.

use burn::tensor::{Tensor, TensorData};
use riemann_lora::{
    diffusion::{
        DenoisingSettings, DiffusionConfig, DiffusionModel, DiffusionWeights, FlowBatch, Sampler,
    },
    model::{AdapterShape, Adapters, Bank, Context, Target},
    optim::OptimizerSettings,
    train::{Session, SessionSettings},
};
use serde::Deserialize;

use crate::support::{device, settings, values};

#[derive(Deserialize)]
pub struct Golden {
    pub config: DiffusionConfig,
    pub times: Vec<f64>,
    pub ids: Vec<i32>,
    pub patches: Vec<f32>,
    pub target: Vec<f32>,
    pub sampling: GoldenSampling,
    pub base: Outputs,
    pub adapters: GoldenAdapters,
}

#[derive(Deserialize)]
pub struct GoldenSampling {
    pub steps: u32,
    pub guidance: f64,
    pub seed: u64,
}

#[derive(Deserialize)]
pub struct Outputs {
    pub text: Vec<f32>,
    pub velocity: Vec<f32>,
    pub losses: Vec<f32>,
    pub sample: Vec<f32>,
}

#[derive(Deserialize)]
pub struct GoldenAdapters {
    pub rank: usize,
    pub alpha: f64,
    pub blocks: Vec<Vec<GoldenBank>>,
    pub runs: Vec<Outputs>,
}

#[derive(Deserialize)]
pub struct GoldenBank {
    pub a: Vec<f32>,
    pub b: Vec<f32>,
}

pub fn golden() -> Golden {
    serde_json::from_str(include_str!("../fixtures/diffusion/golden.json")).unwrap()
}

pub async fn model(golden: &Golden) -> DiffusionModel {
    let bytes = include_bytes!("../fixtures/diffusion/weights.safetensors");
    let weights = DiffusionWeights::read(&golden.config, bytes, &device().await).unwrap();
    weights.model()
}

pub fn adapters(golden: &Golden, model: &DiffusionModel) -> Adapters {
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
        use_rslora: false,
        targets: Target::LLAMA.to_vec(),
    };
    let banks = blocks.iter().map(|banks| banks.iter().map(bank).collect());
    Adapters::of_blocks(shape, runs, banks.collect())
}

pub fn assert_close(what: &str, found: &[f32], wanted: &[f32]) {
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

pub async fn outputs_of(
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
    let settings = DenoisingSettings {
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

pub fn assert_outputs(found: &Outputs, wanted: &Outputs) {
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

pub fn batch(golden: &Golden) -> FlowBatch {
    FlowBatch {
        rows: 2,
        ids: golden.ids.clone(),
        times: golden.times.clone(),
        noisy: golden.patches.clone(),
        velocity: golden.target.clone(),
    }
}

everywhere! {
    async fn steps_begin_at_the_loss_of_the_base_and_go_down() {
        let golden = golden();
        let model = model(&golden).await;
        let runs = vec![OptimizerSettings::adamw(1e-2), OptimizerSettings::scaled_adamw(1e-2)];
        let mut session = Session::new(&model, SessionSettings { rank: 2, ..settings(runs) }).unwrap();
        let base = golden.base.losses.iter().sum::<f32>() / golden.base.losses.len() as f32;
        let first = session.step(&model, &batch(&golden)).await.unwrap();
        let second = session.step(&model, &batch(&golden)).await.unwrap();
        for (first, second) in first.runs.iter().zip(&second.runs) {
            let (first, second) = (first.loss.unwrap(), second.loss.unwrap());
            // lora_b is 0 at the start.
            assert!((first - f64::from(base)).abs() < 1e-4, "{first} and not {base}");
            assert!(second < first, "{second} after {first}");
        }
    }
}
