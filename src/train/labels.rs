//! Which rows of the residual stream are asked for which token.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::data::{Batch, IGNORED_LABEL};

/// The positions of a batch whose next token counts in the loss, for K runs.
///
/// Only these rows go through the final norm and the head.
#[derive(Debug, Clone)]
pub struct CountedLabels {
    /// Rows of [K·B·T, C], the positions of run 0 first, [K·n].
    pub rows: Tensor<1, Int>,
    /// The tokens that follow them, [K·n].
    pub targets: Tensor<1, Int>,
    /// Labels of one run, n.
    pub count: usize,
}

impl CountedLabels {
    /// Shifts the labels by one, as HF does: position t is asked for label t + 1.
    ///
    /// `None` where no label counts.
    pub fn new(batch: &Batch, runs: usize, device: &Device) -> Option<Self> {
        let counted: Vec<(usize, i32)> = counted(batch).collect();
        if counted.is_empty() {
            return None;
        }
        let positions = batch.rows * batch.tokens;
        let count = counted.len();
        let rows: Vec<i32> = (0..runs)
            .flat_map(|run| {
                counted
                    .iter()
                    .map(move |&(position, _)| (run * positions + position) as i32)
            })
            .collect();
        let targets: Vec<i32> = (0..runs)
            .flat_map(|_| counted.iter().map(|&(_, label)| label))
            .collect();
        let upload = |values: Vec<i32>| {
            Tensor::<1, Int>::from_data(TensorData::new(values, [runs * count]), device)
        };
        Some(Self {
            rows: upload(rows),
            targets: upload(targets),
            count,
        })
    }
}

/// Labels of a batch that some position is asked for.
pub fn count(batch: &Batch) -> usize {
    counted(batch).count()
}

/// Positions of the batch whose next token counts, with that token.
fn counted(batch: &Batch) -> impl Iterator<Item = (usize, i32)> {
    (0..batch.rows)
        .flat_map(|row| {
            let tokens = batch.tokens;
            (1..tokens).map(move |t| row * tokens + t)
        })
        .filter_map(move |next| {
            let label = *batch.labels.get(next)?;
            (label != IGNORED_LABEL).then_some((next - 1, label))
        })
}

/// The batch's tokens once a run.
///
/// # Shapes
/// - result: [K·B, T]
pub fn repeat_ids(batch: &Batch, runs: usize, device: &Device) -> Tensor<2, Int> {
    let ids = TensorData::new(batch.ids.clone(), [batch.rows, batch.tokens]);
    Tensor::<2, Int>::from_data(ids, device).repeat_dim(0, runs)
}
