//! Bytes that a session will need, before anything is made.

use serde::{Deserialize, Serialize};

use super::head::chunk_rows;
use super::kept::BlockValues;
use super::settings::{SessionSettings, adapter_shape};
use crate::model::{Adapters, ModelConfig};

/// Bytes of an f32.
pub(crate) const F32: f64 = 4.0;

/// What saved values take of GPU memory, of their own bytes: burn's pools hand out pages that they do not fill. Between what
/// the peaks in Chromium of SmolLM2 at 64 tokens (8 % above) and of Qwen3-0.6B at 4 × 64 (3 % below) ask for.
const PAGES_OF_A_POOL: f64 = 1.7;

/// Bytes that a session needs, before it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemoryEstimate {
    /// Weights of the base.
    pub base: f64,
    /// What else lies there before training: tokenizer, data and the module; 0 of a GPU's memory, where they do not lie.
    pub texts: f64,
    /// Adapters, their gradients and the optimizer's moments.
    pub runs: f64,
    /// Activations kept for the backward pass, and the largest temporaries.
    pub activations: f64,
    /// Sum.
    pub total: f64,
    /// What this worker can have; 0 where unknown.
    pub limit: f64,
}

/// What is there before a session, and what bounds it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Room {
    /// Bytes of the base's weights.
    pub base: f64,
    /// Bytes of those of them that products unpack.
    pub unpacked: f64,
    /// Bytes of what else lies in the same memory.
    pub texts: f64,
    /// Bytes of the largest tensor that the device takes whole; `None` where there is no limit.
    pub most_bytes: Option<usize>,
    /// Bytes of all of it; 0 where unknown.
    pub limit: f64,
}

/// Bytes that `settings` need beside what is in `room`, for sequences of up to `sequence_length` tokens.
///
/// Counted are factors, gradients, moments and one temporary of each run; what autodiff keeps of every block until the
/// backward pass reaches it; and the larger of what the head and the last block take beside that, which is not at one time.
pub fn estimate(
    settings: &SessionSettings,
    config: &ModelConfig,
    room: Room,
    sequence_length: usize,
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
    let layers = config.num_hidden_layers as f64;
    let block = BlockValues::new(config, settings);
    let chunk = chunk_rows(tokens as usize, config.vocab_size, room.most_bytes);
    let head = logits_at_once(config) * chunk as f64 * config.vocab_size as f64;
    // What leaves the last block, the same normalised, its gradient, and what the norm saves.
    let around_head = tokens * 4.0 * channels;
    let passing = tokens * block.passing;
    let pages = match cfg!(feature = "webgpu") {
        true => PAGES_OF_A_POOL,
        false => 1.0,
    };
    let values = match settings.gradient_checkpointing {
        // What enters each block; then the head, or one block whole and the gradient that has come to it.
        true => {
            let a_block = tokens * (block.saved + channels) + passing;
            pages * tokens * layers * channels + (around_head + head).max(a_block)
        }
        false => pages * tokens * layers * block.saved + around_head + head.max(passing),
    };
    let activations = values * F32 + room.unpacked;
    MemoryEstimate {
        base: room.base,
        texts: room.texts,
        runs: runs_bytes,
        activations,
        total: room.base + room.texts + runs_bytes + activations,
        limit: room.limit,
    }
}

/// How many tensors of a chunk's logits there are at one time: on the CPU their derivative takes their place, on WebGPU
/// it stands beside them, with a temporary. Bent ones are kept for the slope of the bend, beside a temporary.
fn logits_at_once(config: &ModelConfig) -> f64 {
    match cfg!(feature = "webgpu") || config.logits_softcap.is_some() {
        true => 3.0,
        false => 1.0,
    }
}

/// Rows of one run whose activations are kept at the same time.
pub(crate) fn rows_at_once(settings: &SessionSettings) -> f64 {
    f64::from(match settings.micro_batch_size {
        0 => settings.batch_size,
        part => part.min(settings.batch_size),
    })
}
