//! Which tokens of a batch its losses depend on, and which of these are asked for which token.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::data::{Batch, IGNORED_LABEL};
use crate::model::Places;

/// On a GPU a product reads four tokens at once, and few different shapes are compiled for.
const TOKENS_MULTIPLE: usize = if cfg!(feature = "webgpu") { 8 } else { 1 };

/// The tokens of a batch that a label which counts depends on, row after row, N in all: neither what fills rows up, nor
/// what comes after the last such label of a row, nor that label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededTokens {
    ids: Vec<i32>,
    /// Tokens of each document: of every row that has a label that counts, and last of what makes N a multiple.
    pub lengths: Vec<usize>,
    /// Where they lie in the batch.
    pub places: Places,
    /// Of each label that counts the token that is asked for it, among N, and the label.
    asked: Vec<(usize, i32)>,
}

impl NeededTokens {
    /// Shifts the labels by one, as HF does: position t is asked for label t + 1.
    ///
    /// `None` where no label counts.
    pub fn new(batch: &Batch) -> Option<Self> {
        let mut needed = Self {
            ids: Vec::new(),
            lengths: Vec::new(),
            places: Places {
                of_example: batch.tokens,
                computed: Vec::new(),
            },
            asked: Vec::new(),
        };
        for row in 0..batch.rows {
            let first = row * batch.tokens;
            let labels = &batch.labels[first..first + batch.tokens];
            let counted = |label: &i32| *label != IGNORED_LABEL;
            let Some(length) = labels.iter().rposition(counted).filter(|last| *last > 0) else {
                continue;
            };
            let before = needed.ids.len();
            let asked = labels.iter().copied().enumerate().skip(1);
            let asked = asked.filter(|(_, label)| counted(label));
            needed
                .asked
                .extend(asked.map(|(next, label)| (before + next - 1, label)));
            needed.ids.extend(&batch.ids[first..first + length]);
            needed.lengths.push(length);
            needed.places.computed.push(first..first + length);
        }
        let filler = *needed.ids.first()?;
        let missing = needed.ids.len().next_multiple_of(TOKENS_MULTIPLE) - needed.ids.len();
        if missing > 0 {
            needed.ids.resize(needed.ids.len() + missing, filler);
            needed.lengths.push(missing);
        }
        Some(needed)
    }

    /// The tokens once a run.
    ///
    /// # Shapes
    /// - result: [K, N]
    pub fn ids(&self, runs: usize, device: &Device) -> Tensor<2, Int> {
        let ids = TensorData::new(self.ids.clone(), [1, self.ids.len()]);
        Tensor::<2, Int>::from_data(ids, device).repeat_dim(0, runs)
    }

    /// What is asked of K runs.
    pub fn labels(&self, runs: usize, device: &Device) -> CountedLabels {
        let (tokens, count) = (self.ids.len(), self.asked.len());
        let of_runs = (0..runs).flat_map(|run| {
            let asked = self.asked.iter();
            asked.map(move |&(row, label)| ((run * tokens + row) as i32, label))
        });
        let (rows, targets): (Vec<i32>, Vec<i32>) = of_runs.unzip();
        let upload = |values: Vec<i32>| {
            Tensor::<1, Int>::from_data(TensorData::new(values, [runs * count]), device)
        };
        CountedLabels {
            rows: upload(rows),
            targets: upload(targets),
            count,
        }
    }
}

/// The tokens whose next one counts in the loss, for K runs.
///
/// Only these rows go through the final norm and the head.
#[derive(Debug, Clone)]
pub struct CountedLabels {
    /// Rows of [K·N, C], those of run 0 first, [K·n].
    pub rows: Tensor<1, Int>,
    /// The tokens that follow them, [K·n].
    pub targets: Tensor<1, Int>,
    /// Labels of one run, n.
    pub count: usize,
}

/// Labels of a batch that some position is asked for.
pub fn count(batch: &Batch) -> usize {
    NeededTokens::new(batch).map_or(0, |needed| needed.asked.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(rows: usize, ids: &[i32], labels: &[i32]) -> Batch {
        Batch {
            rows,
            tokens: ids.len() / rows,
            ids: ids.to_vec(),
            labels: labels.to_vec(),
        }
    }

    #[test]
    fn what_no_label_depends_on_is_left_out() {
        let ids = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0, 0];
        // The last label of a row is not read; a row without labels, or with none but its first token's, is not needed.
        let labels = [
            -100, -100, 7, -100, 9, -100, -100, -100, -100, 14, -100, -100,
        ];
        let needed = NeededTokens::new(&batch(3, &ids, &labels)).expect("two labels count");
        assert_eq!(needed.ids[..3], [5, 6, 13]);
        assert_eq!(needed.lengths[..2], [2, 1]);
        assert_eq!(needed.places.computed, [0..2, 8..9]);
        assert_eq!(needed.places.of_example, 4);
        assert_eq!(needed.asked, [(1, 7), (2, 14)]);
        assert_eq!(
            NeededTokens::new(&batch(1, &ids[4..8], &labels[4..8])),
            None
        );
    }
}
