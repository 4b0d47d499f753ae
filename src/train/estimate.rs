//! Bytes that a session will need, before anything is made.

use serde::{Deserialize, Serialize};

use super::head::chunk_rows;
use super::settings::{SessionSettings, adapter_shape};
use crate::model::{Adapters, ModelConfig, Target};

/// Bytes of an f32.
pub(crate) const F32: f64 = 4.0;

/// Bytes that a session needs, before it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemoryEstimate {
    /// Weights of the base.
    pub base: f64,
    /// Adapters, their gradients and the optimizer's moments.
    pub runs: f64,
    /// Activations kept for the backward pass, and the largest temporaries.
    pub activations: f64,
    /// Sum.
    pub total: f64,
    /// What this worker can have; 0 where unknown.
    pub limit: f64,
}

/// What `settings` need on a base that holds `base_bytes`, for sequences of up to
/// `sequence_length` tokens, on a device that takes tensors of at most `most_bytes`. `limit` is passed through.
///
/// Counted are the weights, and `unpacked_bytes` of those that products unpack; factors, gradients, moments and one
/// temporary of each run; and what autodiff keeps of every block until the backward pass reaches it.
pub fn estimate(
    settings: &SessionSettings,
    config: &ModelConfig,
    base_bytes: f64,
    unpacked_bytes: f64,
    sequence_length: usize,
    most_bytes: Option<usize>,
    limit: f64,
) -> MemoryEstimate {
    let runs = settings.runs.len() as f64;
    let sequences = runs * rows_at_once(settings);
    let tokens = sequences * sequence_length as f64;
    let parameters = Adapters::parameters(config, &adapter_shape(settings));
    let preconditioners = settings.runs.iter().map(|run| run.optimizer.preconditioner);
    let realigns = preconditioners.flatten().any(|own| own.realigns_momentum);
    // Factor, gradient, preconditioned gradient, two moments, and the bases of moments that are carried over.
    let copies = if realigns { 6.0 } else { 5.0 };
    let runs_bytes = copies * parameters * runs * F32;

    let channels = config.hidden_size as f64;
    let inner = config.intermediate_size as f64;
    let scores = config.num_attention_heads as f64 * sequence_length as f64;
    // Values a token that a block's operations save for their backward: norms and residuals,
    // queries, keys and values, the feed-forward layer with its activation, scores after softmax
    // and the inputs of adapted layers. The factors were fitted to the peak of SmolLM2 in the browser
    // on the CPU at 64, 128 and 256 tokens with q_proj and v_proj (within 3 %) and at 128 with all
    // layers adapted (3 %); WebGPU keeps the same. Those of GPT-2 were fitted to models with 384 and 768 channels
    // with all layers adapted (within 2 %; with q_proj and v_proj alone it takes a sixth less).
    let a_block = match config.architecture.is_gated() {
        true => {
            let inputs = adapted_inputs(&settings.targets, channels, inner);
            3.45 * channels + 2.0 * inner + 1.1 * scores + inputs
        }
        false => 8.1 * channels + 5.5 * inner + 2.9 * scores,
    };
    let passing = match config.architecture.is_gated() {
        true => 4.0 * channels + 2.0 * inner,
        false => inner,
    };
    let layers = config.num_hidden_layers as f64;
    let kept = match settings.gradient_checkpointing {
        // What enters each block, and one block whole, with the temporaries of its backward pass, which beside all blocks
        // are lost in the factors above; fitted to the peaks of tests/train_memory.rs.
        true => tokens * (layers * channels + a_block + passing),
        false => tokens * a_block * layers,
    };
    // Logits, their derivative and one temporary of a chunk.
    let chunk = chunk_rows(tokens as usize, config.vocab_size, most_bytes);
    let head = 3.0 * chunk as f64 * config.vocab_size as f64;
    let activations = (kept + head) * F32 + unpacked_bytes;
    MemoryEstimate {
        base: base_bytes,
        runs: runs_bytes,
        activations,
        total: base_bytes + runs_bytes + activations,
        limit,
    }
}

/// Rows of one run whose activations are kept at the same time.
pub(crate) fn rows_at_once(settings: &SessionSettings) -> f64 {
    f64::from(match settings.micro_batch_size {
        0 => settings.batch_size,
        part => part.min(settings.batch_size),
    })
}

/// Values a token of the inputs of a Llama block's adapted layers, each counted once.
pub(crate) fn adapted_inputs(targets: &[Target], channels: f64, inner: f64) -> f64 {
    let any = |of: &[Target]| f64::from(u8::from(of.iter().any(|target| targets.contains(target))));
    any(&[Target::QProj, Target::KProj, Target::VProj]) * channels
        + any(&[Target::OProj]) * channels
        + any(&[Target::GateProj, Target::UpProj]) * channels
        + any(&[Target::DownProj]) * inner
}
