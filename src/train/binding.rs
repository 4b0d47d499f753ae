//! What a GPU takes whole.

use super::estimate::{F32, rows_at_once};
use super::settings::{SessionSettings, adapter_shape};
use crate::model::{Adapters, ModelConfig};

/// Refuses settings under which a step has a tensor of more than `most_bytes`. Weights and logits are split where they are
/// larger; what is left are activations and the factors of all runs.
///
/// # Errors
/// What is too large for what, and what to lower.
pub fn check_binding(
    settings: &SessionSettings,
    config: &ModelConfig,
    sequence_length: usize,
    most_bytes: Option<usize>,
) -> Result<(), String> {
    let Some(most_bytes) = most_bytes else {
        return Ok(());
    };
    let runs = settings.runs.len() as f64;
    let tokens = sequence_length as f64;
    let sequences = runs * rows_at_once(settings);
    let heads = config.num_attention_heads as f64;
    let queries = heads * config.head_dim as f64;
    let widest = (config.intermediate_size as f64).max(queries);
    let rows = "micro_batch_size, the number of runs or sequence_length";
    let tensors = [
        (
            "attention scores",
            sequences * heads * tokens * tokens,
            rows,
        ),
        ("activations", sequences * tokens * widest, rows),
        (
            "adapters",
            runs * Adapters::parameters(config, &adapter_shape(settings)),
            "rank, the number of runs or of adapted layers",
        ),
    ];
    for (what, values, lower) in tensors {
        let needed = values * F32;
        if needed > most_bytes as f64 {
            return Err(format!(
                "the {what} of a step need {:.0} MB in one piece, and this WebGPU adapter takes {:.0} MB; lower {lower}, or choose the CPU engine, which has no such limit",
                needed / 1e6,
                most_bytes as f64 / 1e6
            ));
        }
    }
    Ok(())
}
