//! What a GPU lets a product see at once.

use super::estimate::F32;
use crate::model::ModelConfig;

/// Refuses a model with a weight that is larger than a GPU binds at once: products take weights whole, unpacked to f32.
/// `limit` is in bytes; 0 where there is none.
///
/// # Errors
/// What is too large for what, and what to do.
pub fn check_binding(config: &ModelConfig, limit: f64) -> Result<(), String> {
    let channels = config.hidden_size as f64;
    let table = config.vocab_size as f64 * channels * F32;
    let inner = config.intermediate_size as f64 * channels * F32;
    let (what, needed) = match table >= inner {
        true => ("the embedding table", table),
        false => ("a feed-forward weight", inner),
    };
    if limit == 0.0 || needed <= limit {
        return Ok(());
    }
    Err(format!(
        "{what} needs a binding of {needed} bytes, and this adapter allows {limit}; choose the CPU engine, which has no such limit, or a model with a smaller vocabulary"
    ))
}
