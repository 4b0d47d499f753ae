//! Bytes that a session will need, before anything is made.

use super::head::chunk_rows;
use super::settings::adapter_shape;
use crate::messages::{MemoryEstimate, SessionSettings};
use crate::model::{Adapters, ModelConfig};

/// Bytes of an f32.
const F32: f64 = 4.0;

/// What `settings` need on a base that holds `base_bytes`, for sequences of up to
/// `sequence_length` tokens. `limit` is passed through.
///
/// Counted are the weights; factors, gradients, moments and one temporary of each run; and what
/// autodiff keeps of every block until the backward pass reaches it.
pub fn estimate(
    settings: &SessionSettings,
    config: &ModelConfig,
    base_bytes: f64,
    sequence_length: usize,
    limit: f64,
) -> MemoryEstimate {
    let runs = settings.runs.len() as f64;
    let sequences = runs * f64::from(settings.batch_size);
    let tokens = sequences * sequence_length as f64;
    let parameters = Adapters::parameters(config, &adapter_shape(settings)) as f64;
    // Factor, gradient, preconditioned gradient, two moments.
    let runs_bytes = 5.0 * parameters * runs * F32;

    let channels = config.hidden_size as f64;
    let queries = (config.num_attention_heads * config.head_dim) as f64;
    let keys = (config.num_key_value_heads * config.head_dim) as f64;
    let inner = config.intermediate_size as f64;
    let scores = config.num_attention_heads as f64 * sequence_length as f64;
    // Values a token that a block's operations save for their backward, counted from the graph:
    // norms and residuals, rotation and its halves, scores with their mask and softmax, gate and up.
    let a_block = 10.0 * channels + 5.0 * (queries + keys) + 4.0 * scores + 5.0 * inner;
    let kept = tokens * a_block * config.num_hidden_layers as f64;
    // Logits, their exponentials and one temporary of a chunk.
    let head = 3.0 * chunk_rows(tokens as usize) as f64 * config.vocab_size as f64;
    let activations = (kept + head) * F32;
    MemoryEstimate {
        base: base_bytes,
        runs: runs_bytes,
        activations,
        total: base_bytes + runs_bytes + activations,
        limit,
    }
}
