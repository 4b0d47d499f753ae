//! What a step takes, against its estimate. Only natively: the allocator of the whole program is counted.
#![cfg(all(not(target_arch = "wasm32"), not(feature = "webgpu")))]

use std::sync::atomic::Ordering::Relaxed;

mod counting;
use counting::{MOST, NOW};

use burn::tensor::{Device, Distribution, Tensor};
use riemann_lora::{
    data::Batch,
    kernel::ProductPrecision,
    model::{
        Activation, Adapters, Base, Held, ModelConfig, Rotary, Target,
        architecture::{GPT2, LLAMA},
        walk::{self, Kind, Role},
    },
    optim::OptimizerSettings,
    train::{
        RunSettings, SessionSettings,
        estimate::estimate,
        gradients::{Pass, PassSettings},
        settings::adapter_shape,
    },
};

/// A base of random weights, with an embedding table for its head.
fn base(config: ModelConfig, device: &Device) -> Base {
    let weights = walk::weights(&config).map(|weight| match (weight.role, &weight.shape[..]) {
        (Role::Block(.., Kind::Bias) | Role::FinalNorm(Kind::Bias), &[length]) => {
            Held::Vector(Tensor::zeros([length], device))
        }
        (_, &[length]) => Held::Vector(Tensor::ones([length], device)),
        (_, shape) => {
            let random = Distribution::Normal(0.0, 0.02);
            Held::Matrix(Tensor::<2>::random(shape.to_vec(), random, device).into())
        }
    });
    let weights: Vec<Held> = weights.collect();
    Base::assemble(config, device, weights).expect("all weights")
}

/// Both in one test: what is counted is of the whole process.
#[test]
fn a_step_takes_what_was_estimated() {
    a_step_of_gpt2();
    for targets in [vec![Target::QProj, Target::VProj], Target::LLAMA.to_vec()] {
        a_step_of_llama(targets);
    }
}

fn a_step_of_llama(targets: Vec<Target>) {
    const TOKENS: usize = 128;
    let config = ModelConfig {
        vocab_size: 64,
        hidden_size: 288,
        intermediate_size: 768,
        num_hidden_layers: 4,
        max_position_embeddings: TOKENS,
        tie_word_embeddings: true,
        num_attention_heads: 9,
        num_key_value_heads: 3,
        head_dim: 32,
        norm_eps: 1e-5,
        rotary: Some(Rotary::plain(1e4)),
        ..ModelConfig::of(&LLAMA)
    };
    let device = Device::flex();
    let base = base(config, &device);
    check(&base, targets.clone(), TOKENS, false);
    check(&base, targets, TOKENS, true);
}

fn a_step_of_gpt2() {
    const TOKENS: usize = 128;
    let config = ModelConfig {
        vocab_size: 64,
        hidden_size: 384,
        intermediate_size: 1536,
        num_hidden_layers: 4,
        max_position_embeddings: TOKENS,
        tie_word_embeddings: true,
        num_attention_heads: 6,
        num_key_value_heads: 6,
        head_dim: 64,
        norm_eps: 1e-5,
        activation: Activation::GeluTanh,
        ..ModelConfig::of(&GPT2)
    };
    let device = Device::flex();
    let targets = vec![
        Target::CAttn,
        Target::OProj,
        Target::UpProj,
        Target::DownProj,
    ];
    let base = base(config, &device);
    check(&base, targets.clone(), TOKENS, false);
    check(&base, targets, TOKENS, true);
}

/// A step's peak above the base, against the estimate.
fn check(base: &Base, targets: Vec<Target>, tokens: usize, gradient_checkpointing: bool) {
    let settings = SessionSettings {
        rank: 4,
        alpha: 8.0,
        use_rslora: false,
        dropout: 0.0,
        targets,
        batch_size: 2,
        micro_batch_size: 0,
        gradient_checkpointing,
        half_precision: false,
        steps: 1,
        seed: 0,
        diagnostics: false,
        layer_diagnostics: false,
        runs: vec![RunSettings {
            name: "run".into(),
            optimizer: OptimizerSettings::adamw(1e-3),
            text_lr: None,
        }],
    };
    let adapters = Adapters::new(&base.config, adapter_shape(&settings), 1, 0, &base.device);
    let batch = Batch {
        rows: 2,
        tokens,
        ids: vec![3; 2 * tokens],
        labels: vec![3; 2 * tokens],
    };
    let pass_settings = PassSettings {
        dropout: None,
        whole: 2 * (tokens - 1),
        precision: ProductPrecision::Single,
        gradient_checkpointing,
    };
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    let pass = Pass::forward(base, &adapters, &batch, pass_settings).expect("labels count");
    drop(pass.backward());
    let used = (MOST.load(Relaxed) - before) as f64;
    let expected = estimate(&settings, &base.config, 0.0, 0.0, tokens, None, 0.0).activations;
    let ratio = expected / used;
    assert!(
        (0.87..1.15).contains(&ratio),
        "{:?}, checkpointing {gradient_checkpointing}: {expected} estimated, {used} used",
        settings.targets
    );
}
