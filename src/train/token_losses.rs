//! How well the base and each run predict every token of one text.

use super::{
    SessionError,
    head::{chunk_rows, losses},
    labels::{CountedLabels, repeat_ids},
    session::device_error,
};
use crate::data::Batch;
use crate::model::{Adapters, Base, Context};

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
    let lanes = adapters.map_or(1, |adapters| adapters.runs);
    let row: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
    let batch = Batch {
        rows: 1,
        tokens: row.len(),
        ids: row.clone(),
        labels: row,
    };
    let labels =
        CountedLabels::new(&batch, lanes, &model.device).ok_or(SessionError::NothingCounts)?;
    let context = Context {
        adapters,
        ..Context::default()
    };
    let hidden = model.forward(repeat_ids(&batch, lanes, &model.device), context); // [K·T, C]
    let chunk = chunk_rows(hidden.dims()[0]);
    let rows = model.normalise(hidden.select(0, labels.rows)); // [K·(T-1), C]
    let losses = losses(model, &rows, &labels.targets, chunk);
    let losses = losses.into_data_async().await.map_err(device_error)?;
    let losses: Vec<f32> = losses.iter().collect();
    Ok(losses.chunks(labels.count).map(<[f32]>::to_vec).collect())
}
