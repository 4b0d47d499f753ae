//! The text-to-image model against a second implementation in float64: captions, velocities, losses and drawn pictures, of
//! the base and of two runs in a bank.

use burn::tensor::{Tensor, TensorData};
use riemann_lora::{
    diffusion::{
        DiffusionConfig, DiffusionModel, DiffusionWeights, FlowBatch, SampleSettings, Sampler,
    },
    model::{AdapterShape, Adapters, Bank, Context, Target},
};
use serde::Deserialize;

use crate::support::{device, values};

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
    Adapters {
        shape: AdapterShape {
            rank: *rank,
            alpha: *alpha,
            targets: Target::LLAMA.to_vec(),
        },
        runs,
        blocks: blocks
            .iter()
            .map(|banks| banks.iter().map(bank).collect())
            .collect(),
    }
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
    let model = model(golden).await;
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
    let losses = batch.losses(&model, &context);
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
    let mut sampler = Sampler::new(&model, adapters, &golden.ids, settings);
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
