//! How well the base and each run predict every token of one text.

use super::{SessionError, language::losses};
use crate::data::Batch;
use crate::engine::EngineError;
use crate::model::{Adapters, Base};

/// Cross entropy of each token but the first, given those before it, in nats: one list a run, or
/// the base's alone without `adapters`. Their mean is the loss of a batch in which all tokens count.
///
/// # Shapes
/// - `ids`: [T]
/// - result: [K, T-1]
///
/// # Errors
/// Fewer than two tokens, more than the base's context, or a device that failed.
pub async fn token_losses(
    model: &Base,
    adapters: Option<&Adapters>,
    ids: &[u32],
) -> Result<Vec<Vec<f32>>, SessionError> {
    model.check_length(ids.len())?;
    let row: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
    let batch = Batch {
        rows: 1,
        tokens: row.len(),
        ids: row.clone(),
        labels: row,
    };
    let losses = losses(model, adapters, &batch).ok_or(SessionError::NothingCounts)?;
    let [_, count] = losses.dims();
    let losses = losses.into_data_async().await.map_err(EngineError::from)?;
    let losses: Vec<f32> = losses.iter().collect();
    Ok(losses.chunks(count).map(<[f32]>::to_vec).collect())
}
