//! What a step takes, against its estimate. Only natively: the allocator of the whole program is counted.
#![cfg(all(not(target_arch = "wasm32"), not(feature = "webgpu")))]

use std::sync::atomic::Ordering::Relaxed;

mod counting;
use counting::{MOST, NOW};

use burn::tensor::{Device, Distribution, Tensor};
use riemann_lora::{
    data::Batch,
    messages::{RunSettings, SessionSettings},
    model::{
        Adapters, Affine, Architecture, Base, Body, FrozenWeight, Gpt2, Gpt2Block, Gpt2Config,
        Llama, LlamaBlock, LlamaConfig, ModelConfig, Target, norm::LayerNorm,
    },
    optim::OptimizerSettings,
    train::{
        estimate::estimate,
        gradients::{Pass, PassSettings},
        settings::adapter_shape,
    },
};

/// A GPT-2 of random weights.
fn gpt2(config: ModelConfig, device: &Device) -> Base {
    let (channels, inner) = (config.hidden_size, config.intermediate_size);
    let table = |rows: usize, columns: usize| {
        Tensor::<2>::random([rows, columns], Distribution::Normal(0.0, 0.02), device)
    };
    let affine = |rows, columns| Affine {
        weight: table(rows, columns).into(),
        bias: Tensor::zeros([rows], device),
    };
    let norm = || LayerNorm {
        weight: Tensor::ones([channels], device),
        bias: Tensor::zeros([channels], device),
    };
    let Architecture::Gpt2(own) = config.architecture.clone() else {
        panic!("it is a GPT-2");
    };
    let blocks = (0..config.num_hidden_layers).map(|_| Gpt2Block {
        ln_1: norm(),
        c_attn: affine(3 * channels, channels),
        attn_c_proj: affine(channels, channels),
        ln_2: norm(),
        c_fc: affine(inner, channels),
        mlp_c_proj: affine(channels, inner),
    });
    let embedding = FrozenWeight::from(table(config.vocab_size, channels));
    Base {
        device: device.clone(),
        head: embedding.clone(),
        body: Body::Gpt2(Gpt2 {
            config: own,
            embedding,
            positions: table(config.max_position_embeddings, channels),
            blocks: blocks.collect(),
            final_norm: norm(),
        }),
        config,
    }
}

/// A Llama in the proportions of SmolLM2.
fn llama(config: ModelConfig, device: &Device) -> Base {
    let (channels, inner) = (config.hidden_size, config.intermediate_size);
    let weight = |rows, columns| -> FrozenWeight {
        Tensor::random([rows, columns], Distribution::Normal(0.0, 0.02), device).into()
    };
    let Architecture::Llama(own) = config.architecture.clone() else {
        panic!("it is a Llama");
    };
    let norm = || Tensor::ones([channels], device);
    let keys = own.num_key_value_heads * own.head_dim;
    let blocks = (0..config.num_hidden_layers).map(|_| LlamaBlock {
        input_norm: norm(),
        post_attention_norm: norm(),
        linears: [
            weight(channels, channels),
            weight(keys, channels),
            weight(keys, channels),
            weight(channels, channels),
            weight(inner, channels),
            weight(inner, channels),
            weight(channels, inner),
        ],
    });
    let embedding = weight(config.vocab_size, channels);
    Base {
        device: device.clone(),
        head: embedding.clone(),
        body: Body::Llama(Llama {
            config: own,
            embedding,
            blocks: blocks.collect(),
            final_norm: norm(),
        }),
        config,
    }
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
        architecture: Architecture::Llama(LlamaConfig {
            num_attention_heads: 9,
            num_key_value_heads: 3,
            head_dim: 32,
            rms_norm_eps: 1e-5,
            rope_theta: 1e4,
        }),
    };
    let device = Device::flex();
    let base = llama(config, &device);
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
        architecture: Architecture::Gpt2(Gpt2Config {
            num_attention_heads: 6,
            layer_norm_epsilon: 1e-5,
        }),
    };
    let device = Device::flex();
    let targets = vec![
        Target::CAttn,
        Target::OProj,
        Target::UpProj,
        Target::DownProj,
    ];
    let base = gpt2(config, &device);
    check(&base, targets.clone(), TOKENS, false);
    check(&base, targets, TOKENS, true);
}

/// A step's peak above the base, against the estimate.
fn check(base: &Base, targets: Vec<Target>, tokens: usize, gradient_checkpointing: bool) {
    let settings = SessionSettings {
        rank: 4,
        alpha: 8.0,
        dropout: 0.0,
        targets,
        batch_size: 2,
        micro_batch_size: 0,
        gradient_checkpointing,
        half_precision: false,
        steps: 1,
        seed: 0,
        diagnostics: false,
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
        gradient_checkpointing,
    };
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    let pass = Pass::forward(base, &adapters, &batch, pass_settings).expect("labels count");
    drop(pass.backward());
    let used = (MOST.load(Relaxed) - before) as f64;
    let expected = estimate(&settings, &base.config, 0.0, 0.0, tokens, 0.0).activations;
    let ratio = expected / used;
    assert!(
        (0.87..1.15).contains(&ratio),
        "{:?}, checkpointing {gradient_checkpointing}: {expected} estimated, {used} used",
        settings.targets
    );
}
