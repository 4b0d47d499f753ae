//! The golden models, and numbers out of tensors.

use burn::tensor::{Device, Tensor};
use riemann_lora::{
    data::Batch,
    load::MemorySource,
    model::{Adapters, Base, Checkpoint, Target},
    optim::{Decay, OptimizerSettings, Order, PreconditionerSettings, Schedule, UpdateRule},
    peft,
    train::{RunSettings, SessionSettings},
};
use serde::Deserialize;

pub mod draws;

macro_rules! fixture {
    ($($path:literal),*) => {
        include_bytes!(concat!("../fixtures/golden/", $($path),*)).as_slice()
    };
}

/// The two files of a golden adapter of the Llama.
#[cfg(not(feature = "webgpu"))]
macro_rules! adapter {
    ($name:literal) => {
        crate::support::LLAMA.adapter($name)
    };
}
#[cfg(not(feature = "webgpu"))]
pub(crate) use adapter;

/// The two files of an adapter.
type AdapterFiles = (&'static [u8], &'static [u8]);

/// The golden files of one architecture.
#[derive(Clone, Copy)]
pub struct Fixture {
    config: &'static [u8],
    weights: &'static [u8],
    golden: &'static [u8],
    adapters: &'static [(&'static str, AdapterFiles)],
    /// What PEFT adapted there.
    pub targets: &'static [Target],
}

macro_rules! of_architecture {
    ($folder:literal, $targets:expr) => {
        Fixture {
            config: fixture!($folder, "/model/config.json"),
            weights: fixture!($folder, "/model/model.safetensors"),
            golden: fixture!($folder, "/golden.json"),
            adapters: of_architecture!(@adapters $folder
                "adapter_init" "adapter_random" "after_adamw" "after_adamw_clip_sched"
                "after_lora_plus" "after_scaled_adamw" "after_scaled_adamw_clip_sched"
                "after_scaled_adamw_paper" "after_scaled_adamw_sequential" "after_scaled_gd"
                "after_sgd"
            ),
            targets: $targets,
        }
    };
    (@adapters $folder:literal $($name:literal)*) => {
        &[$((
            $name,
            (
                fixture!($folder, "/", $name, "/adapter_config.json"),
                fixture!($folder, "/", $name, "/adapter_model.safetensors"),
            ),
        )),*]
    };
}

pub const LLAMA: Fixture = of_architecture!("llama", &Target::LLAMA);
pub const GPT2: Fixture = of_architecture!(
    "gpt2",
    &[
        Target::OProj,
        Target::UpProj,
        Target::DownProj,
        Target::CAttn
    ]
);

/// Runs bodies that take a [`Fixture`] for both architectures; on WebGPU, where a software adapter has no time, for
/// the Llama only.
macro_rules! for_both {
    ($($name:ident),* $(,)?) => {
        mod llama {
            $(everywhere! { async fn $name() { super::$name(crate::support::LLAMA).await } })*
        }
        #[cfg(not(feature = "webgpu"))]
        mod gpt2 {
            $(everywhere! { async fn $name() { super::$name(crate::support::GPT2).await } })*
        }
    };
}
pub(crate) use for_both;

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

impl Fixture {
    pub fn golden(&self) -> Golden {
        serde_json::from_slice(self.golden).unwrap()
    }

    pub fn adapter(&self, name: &str) -> AdapterFiles {
        self.adapters
            .iter()
            .find(|(other, _)| *other == name)
            .unwrap()
            .1
    }

    pub async fn checkpoint(&self) -> Checkpoint<MemorySource> {
        let files = [
            ("config.json", self.config),
            ("model.safetensors", self.weights),
            ("tokenizer.json", fixture!("tokenizer.json")),
        ]
        .map(|(name, bytes)| MemorySource::new(name, bytes));
        Checkpoint::open(files.into()).await.unwrap()
    }

    #[cfg(not(feature = "webgpu"))]
    pub fn tokenizer(&self) -> MemorySource {
        MemorySource::new("tokenizer.json", fixture!("tokenizer.json"))
    }

    pub async fn model(&self) -> Base {
        let device = device().await;
        let checkpoint = self.checkpoint().await;
        Base::load(&checkpoint, &device, |_, _| true).await.unwrap()
    }

    /// Golden shape of adapters, 10 steps, the given optimizers.
    pub fn settings(&self, optimizers: Vec<OptimizerSettings>) -> SessionSettings {
        SessionSettings {
            targets: self.targets.to_vec(),
            ..settings(optimizers)
        }
    }
}

#[cfg(not(feature = "webgpu"))]
pub fn golden() -> Golden {
    LLAMA.golden()
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

#[cfg(not(feature = "webgpu"))]
pub async fn model() -> Base {
    LLAMA.model().await
}

/// A golden adapter for each of `runs` runs.
pub fn adapters(files: (&[u8], &[u8]), model: &Base, runs: usize) -> Adapters {
    let read = peft::read(files.0, files.1, &model.config, &model.device).unwrap();
    read.adapters.repeated(runs)
}

/// Golden shape of the Llama's adapters, 10 steps, the given optimizers.
pub fn settings(optimizers: Vec<OptimizerSettings>) -> SessionSettings {
    SessionSettings {
        rank: 4,
        alpha: 8.0,
        use_rslora: false,
        dropout: 0.0,
        targets: Target::LLAMA.to_vec(),
        batch_size: 2,
        micro_batch_size: 0,
        gradient_checkpointing: false,
        half_precision: false,
        steps: 10,
        seed: 0,
        runs: optimizers
            .into_iter()
            .map(|optimizer| RunSettings {
                name: "run".into(),
                optimizer,
                text_lr: None,
            })
            .collect(),
        diagnostics: true,
        layer_diagnostics: false,
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

/// Adapters of rank 4 with random factors, different in each run.
#[cfg(not(feature = "webgpu"))]
pub fn random_adapters(model: &Base, targets: &[Target], runs: usize) -> Adapters {
    use burn::tensor::TensorData;
    use rand::{Rng, SeedableRng};

    let shape = riemann_lora::model::AdapterShape {
        rank: 4,
        alpha: 8.0,
        use_rslora: false,
        targets: targets.to_vec(),
    };
    let mut adapters = Adapters::new(&model.config, shape, runs, 0, &model.device);
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    for bank in adapters.banks_mut() {
        for factor in [&mut bank.a, &mut bank.b] {
            let shape = factor.dims();
            let count: usize = shape.iter().product();
            let values: Vec<f32> = (0..count).map(|_| random.random_range(-0.5..0.5)).collect();
            *factor = Tensor::from_data(TensorData::new(values, shape), &model.device);
        }
    }
    adapters
}
