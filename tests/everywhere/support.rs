//! The golden Llama, and numbers out of tensors.

use burn::tensor::{Device, Tensor};
use riemann_lora::{
    data::Batch,
    load::{Checkpoint, MemorySource},
    messages::{RunSettings, SessionSettings},
    model::{Adapters, Llama, Target},
    optim::{Decay, OptimizerSettings, Order, PreconditionerSettings, Schedule, UpdateRule},
    peft,
};
use serde::Deserialize;

macro_rules! fixture {
    ($path:literal) => {
        include_bytes!(concat!("../fixtures/golden/", $path))
    };
}

/// The two files of a golden adapter.
macro_rules! adapter {
    ($name:literal) => {
        (
            include_bytes!(concat!(
                "../fixtures/golden/llama/",
                $name,
                "/adapter_config.json"
            ))
            .as_slice(),
            include_bytes!(concat!(
                "../fixtures/golden/llama/",
                $name,
                "/adapter_model.safetensors"
            ))
            .as_slice(),
        )
    };
}
pub(crate) use adapter;

#[derive(Debug, Deserialize)]
pub struct Golden {
    pub batches: Vec<GoldenBatch>,
    pub base: GoldenBase,
    pub adapter_random: GoldenGradients,
    pub cases: std::collections::BTreeMap<String, GoldenCase>,
}

#[derive(Debug, Deserialize)]
pub struct GoldenBatch {
    pub ids: Vec<Vec<i32>>,
    pub labels: Vec<Vec<i32>>,
}

#[derive(Debug, Deserialize)]
pub struct GoldenBase {
    pub loss: f64,
    pub logits_positions: Vec<usize>,
    pub logits: Vec<Vec<Vec<f64>>>,
    pub greedy: GoldenGreedy,
}

#[derive(Debug, Deserialize)]
pub struct GoldenGreedy {
    pub prompt: Vec<u32>,
    pub continuation: Vec<u32>,
}

#[derive(Debug, Deserialize)]
pub struct GoldenGradients {
    pub loss: f64,
    pub grads: std::collections::BTreeMap<String, GoldenGradient>,
}

#[derive(Debug, Deserialize)]
pub struct GoldenGradient {
    pub a_norm: f64,
    pub b_norm: f64,
    pub a: Vec<f64>,
    pub b: Vec<f64>,
}

#[derive(Debug, Deserialize)]
pub struct GoldenCase {
    pub hyper: GoldenHyper,
    pub losses: Vec<f64>,
    #[cfg_attr(feature = "webgpu", allow(dead_code))]
    pub grad_norms: Vec<f64>,
}

#[derive(Debug, Deserialize)]
pub struct GoldenHyper {
    base: String,
    lr: f64,
    #[serde(default)]
    betas: Option<[f64; 2]>,
    #[serde(default)]
    eps: Option<f64>,
    damping: Option<f64>,
    wd: f64,
    clip: Option<f64>,
    #[serde(default)]
    warmup: Option<u32>,
    #[serde(default)]
    lr_ratio_b: Option<f64>,
    #[serde(default)]
    order: Option<String>,
}

impl GoldenHyper {
    pub fn settings(&self) -> OptimizerSettings {
        OptimizerSettings {
            rule: match self.base.as_str() {
                "adamw" => UpdateRule::Adamw,
                "sgd" => UpdateRule::Sgd,
                other => panic!("unknown base {other}"),
            },
            preconditioner: self.damping.map(|damping| PreconditionerSettings {
                order: match self.order.as_deref() {
                    None => Order::Simultaneous,
                    Some("sequential") => Order::Sequential,
                    Some(other) => panic!("unknown order {other}"),
                },
                ..PreconditionerSettings::new(damping)
            }),
            lr_ratio_b: self.lr_ratio_b.unwrap_or(1.0),
            betas: self.betas.unwrap_or([0.9, 0.999]),
            eps: self.eps.unwrap_or(1e-8),
            weight_decay: self.wd,
            max_grad_norm: self.clip,
            schedule: Schedule {
                warmup_steps: self.warmup.unwrap_or(0),
                decay: match self.warmup {
                    Some(_) => Decay::Linear,
                    None => Decay::Constant,
                },
            },
            ..OptimizerSettings::adamw(self.lr)
        }
    }
}

pub fn golden() -> Golden {
    serde_json::from_slice(fixture!("llama/golden.json")).unwrap()
}

impl GoldenBatch {
    pub fn batch(&self) -> Batch {
        Batch {
            rows: self.ids.len(),
            tokens: self.ids[0].len(),
            ids: self.ids.concat(),
            labels: self.labels.concat(),
        }
    }
}

#[cfg(not(feature = "webgpu"))]
pub async fn device() -> Device {
    riemann_lora::engine::start().await.unwrap().0
}

/// The browser's WebGPU device can be made only once.
#[cfg(feature = "webgpu")]
pub async fn device() -> Device {
    thread_local! {
        static DEVICE: std::cell::RefCell<Option<Device>> = const { std::cell::RefCell::new(None) };
    }
    if let Some(device) = DEVICE.with_borrow(Clone::clone) {
        return device;
    }
    let (device, _) = riemann_lora::engine::start().await.unwrap();
    DEVICE.set(Some(device.clone()));
    device
}

pub async fn checkpoint() -> Checkpoint<MemorySource> {
    let files = [
        ("config.json", fixture!("llama/model/config.json").to_vec()),
        (
            "model.safetensors",
            fixture!("llama/model/model.safetensors").to_vec(),
        ),
        ("tokenizer.json", fixture!("tokenizer.json").to_vec()),
    ]
    .map(|(name, bytes)| MemorySource::new(name, bytes));
    Checkpoint::open(files.into()).await.unwrap()
}

pub async fn model() -> Llama {
    let device = device().await;
    Llama::load(&checkpoint().await, &device, |_, _| true)
        .await
        .unwrap()
}

/// A golden adapter for each of `runs` runs.
pub fn adapters(files: (&[u8], &[u8]), model: &Llama, runs: usize) -> Adapters {
    let mut adapters = peft::read(files.0, files.1, &model.config, &model.device).unwrap();
    adapters.runs = runs;
    for bank in adapters.banks_mut() {
        bank.a = bank.a.clone().repeat_dim(0, runs);
        bank.b = bank.b.clone().repeat_dim(0, runs);
    }
    adapters
}

/// Golden shape of adapters, 10 steps, the given optimizers.
pub fn settings(optimizers: Vec<OptimizerSettings>) -> SessionSettings {
    SessionSettings {
        rank: 4,
        alpha: 8.0,
        dropout: 0.0,
        targets: Target::ALL.to_vec(),
        batch_size: 2,
        steps: 10,
        seed: 0,
        runs: optimizers
            .into_iter()
            .map(|optimizer| RunSettings {
                name: "run".into(),
                optimizer,
            })
            .collect(),
        diagnostics: true,
    }
}

pub async fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data_async().await.unwrap().iter().collect()
}

/// The largest absolute difference.
pub fn difference(x: &[f32], y: &[f32]) -> f32 {
    assert_eq!(x.len(), y.len());
    x.iter()
        .zip(y)
        .map(|(x, y)| (x - y).abs())
        .fold(0.0, f32::max)
}

pub fn norm(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(|v| v * v).sum::<f64>().sqrt()
}
