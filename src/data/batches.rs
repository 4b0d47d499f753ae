//! Examples to batches, any step's without the ones before.

use std::ops::Range;
use std::sync::Arc;

use super::error::DataError;
use super::example::Example;
use super::shuffle::shuffled;

/// Label of a token that does not count in the loss, as in PyTorch and Hugging Face's libraries.
pub const IGNORED_LABEL: i32 = -100;

/// Rows are filled up to a multiple of so many tokens, so that few different shapes have to be compiled and tuned for.
const TOKENS_MULTIPLE: usize = 8;

/// Most rows times tokens of a batch.
const MAXIMUM_BATCH_TOKENS: usize = 1 << 24;

/// Sequences of one length, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Number of sequences, B.
    pub rows: usize,
    /// Length of each in tokens, T.
    pub tokens: usize,
    /// Token ids, [B, T]; shorter sequences are filled up at the end.
    pub ids: Vec<i32>,
    /// [B, T], not shifted: `labels[i]` is `ids[i]` where that token counts in the loss, else [`IGNORED_LABEL`].
    pub labels: Vec<i32>,
}

impl Batch {
    /// How many labels count.
    pub fn counted(&self) -> usize {
        self.labels
            .iter()
            .filter(|label| **label != IGNORED_LABEL)
            .count()
    }

    /// Some of its sequences, of the same length.
    ///
    /// # Panics
    /// If it has no such rows.
    pub fn part(&self, rows: Range<usize>) -> Self {
        let values = rows.start * self.tokens..rows.end * self.tokens;
        Self {
            rows: rows.len(),
            tokens: self.tokens,
            ids: self.ids[values.clone()].to_vec(),
            labels: self.labels[values].to_vec(),
        }
    }

    /// `examples` side by side, as long as the longest of them, rounded up to a multiple of 8 but not above
    /// `sequence_length`.
    fn new<'a>(examples: impl Iterator<Item = &'a Example> + Clone, layout: Layout) -> Self {
        let rows = examples.clone().count();
        let longest = examples
            .clone()
            .map(|example| example.ids.len())
            .max()
            .unwrap_or(0);
        let tokens = longest
            .next_multiple_of(TOKENS_MULTIPLE)
            .min(layout.sequence_length.max(longest));
        let mut ids = Vec::with_capacity(rows * tokens);
        let mut labels = Vec::with_capacity(rows * tokens);
        for example in examples {
            // Ids fit: `Dataset` refuses tokenizers with larger ones.
            ids.extend(example.ids.iter().map(|id| *id as i32));
            labels.extend(example.ids.iter().zip(&example.counts).map(|(id, counts)| {
                if *counts { *id as i32 } else { IGNORED_LABEL }
            }));
            ids.resize(ids.len() + tokens - example.ids.len(), layout.pad);
            labels.resize(ids.len(), IGNORED_LABEL);
        }
        Self {
            rows,
            tokens,
            ids,
            labels,
        }
    }
}

/// What all batches of a data set have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Most tokens of a row.
    pub sequence_length: usize,
    /// Id that fills rows up.
    pub pad: i32,
}

/// In which order examples are trained on.
///
/// Each epoch is a shuffle of its own, and the epochs follow each other without a gap: step s has the places from
/// s · rows of that endless list, so a batch may have the end of one epoch and the beginning of the next.
#[derive(Debug, Clone)]
pub struct BatchOrder {
    examples: u32,
    rows: usize,
    seed: u64,
    /// The last epoch that was asked for, because the next step most likely needs it again.
    epoch: Option<(u64, Vec<u32>)>,
}

impl BatchOrder {
    /// The order of `examples` examples in batches of `rows`.
    ///
    /// # Errors
    /// [`DataError`] if there are no examples or no rows, or more than 2³² examples.
    pub fn new(examples: usize, rows: usize, seed: u64) -> Result<Self, DataError> {
        let problem = match u32::try_from(examples) {
            Ok(0) => "there is no example to train on; choose a larger file".to_owned(),
            Ok(_) if rows == 0 => "a batch of 0 rows trains nothing; choose at least 1".to_owned(),
            Ok(examples) => {
                return Ok(Self {
                    examples,
                    rows,
                    seed,
                    epoch: None,
                });
            }
            Err(_) => {
                format!("{examples} examples are more than can be put in order; limit their number")
            }
        };
        Err(DataError::new(problem))
    }

    /// How many rows a batch has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Steps after which every example was seen at least once.
    pub fn steps_per_epoch(&self) -> usize {
        (self.examples as usize).div_ceil(self.rows)
    }

    /// Epochs that are over after `steps` steps, with the part of the current one behind the point.
    pub fn epochs(&self, steps: u64) -> f64 {
        steps as f64 * self.rows as f64 / f64::from(self.examples)
    }

    /// Which examples step `step` trains on, the first step being 0, [rows].
    pub fn indices(&mut self, step: u64) -> Vec<usize> {
        let examples = u128::from(self.examples);
        let begin = u128::from(step) * self.rows as u128;
        (begin..begin + self.rows as u128)
            .map(|place| self.example((place / examples) as u64, (place % examples) as usize))
            .collect()
    }

    fn example(&mut self, epoch: u64, place: usize) -> usize {
        let order = match self.epoch.take() {
            Some((known, order)) if known == epoch => order,
            _ => shuffled(self.examples, self.seed, epoch),
        };
        let example = order[place] as usize;
        self.epoch = Some((epoch, order));
        example
    }
}

/// Any step's batch of a list of examples.
#[derive(Debug, Clone)]
pub struct Batches {
    examples: Arc<[Example]>,
    order: BatchOrder,
    layout: Layout,
}

impl Batches {
    pub(super) fn new(
        examples: Arc<[Example]>,
        rows: usize,
        seed: u64,
        layout: Layout,
    ) -> Result<Self, DataError> {
        check_rows(rows, layout)?;
        Ok(Self {
            order: BatchOrder::new(examples.len(), rows, seed)?,
            examples,
            layout,
        })
    }

    /// Which examples are in which step.
    pub fn order(&self) -> &BatchOrder {
        &self.order
    }

    /// The batch of step `step`, the first step being 0. Depends on nothing but the step, the data and the seed.
    pub fn batch(&mut self, step: u64) -> Batch {
        let indices = self.order.indices(step);
        Batch::new(
            indices.iter().map(|index| &self.examples[*index]),
            self.layout,
        )
    }
}

/// `examples` in their order, `rows` a batch; the last batch may have fewer.
pub(super) fn in_order<'a>(
    mut examples: impl Iterator<Item = &'a Example>,
    rows: usize,
    layout: Layout,
) -> Result<impl Iterator<Item = Batch>, DataError> {
    check_rows(rows, layout)?;
    Ok(std::iter::from_fn(move || {
        let chunk: Vec<&Example> = examples.by_ref().take(rows).collect();
        (!chunk.is_empty()).then(|| Batch::new(chunk.into_iter(), layout))
    }))
}

fn check_rows(rows: usize, layout: Layout) -> Result<(), DataError> {
    let most = (MAXIMUM_BATCH_TOKENS / layout.sequence_length.max(1)).max(1);
    if (1..=most).contains(&rows) {
        return Ok(());
    }
    Err(DataError::new(format!(
        "a batch of {rows} rows of {} tokens cannot be made; choose 1 to {most} rows",
        layout.sequence_length
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(ids: &[u32], from: usize) -> Example {
        Example {
            ids: ids.to_vec(),
            counts: (0..ids.len()).map(|place| place >= from).collect(),
            prompt_tokens: from,
        }
    }

    #[test]
    fn labels_are_not_shifted_and_padding_is_ignored() {
        let examples = [
            example(&[5, 6, 7], 1),
            example(&[1, 2, 3, 4, 5, 6, 7, 8, 9], 8),
        ];
        let layout = Layout {
            sequence_length: 64,
            pad: 99,
        };
        let batch = Batch::new(examples.iter(), layout);
        assert_eq!((batch.rows, batch.tokens, batch.counted()), (2, 16, 3));
        let mut first = [99; 16];
        first[..3].copy_from_slice(&[5, 6, 7]);
        let mut second = [99; 16];
        second[..9].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(batch.ids, [first, second].concat());
        let mut first = [-100; 16];
        first[1..3].copy_from_slice(&[6, 7]);
        let mut second = [-100; 16];
        second[8] = 9;
        assert_eq!(batch.labels, [first, second].concat());
    }

    #[test]
    fn rows_are_rounded_up_but_not_above_the_sequence_length() {
        let width = |tokens: u32, sequence_length| {
            let ids: Vec<u32> = (0..tokens).collect();
            let layout = Layout {
                sequence_length,
                pad: 0,
            };
            Batch::new([example(&ids, 1)].iter(), layout).tokens
        };
        assert_eq!(
            [width(8, 20), width(9, 20), width(17, 20), width(20, 20)],
            [8, 16, 20, 20]
        );
    }

    #[test]
    fn any_step_without_the_ones_before() {
        let mut order = BatchOrder::new(7, 3, 42).unwrap();
        let expected = [
            [5, 1, 0],
            [6, 2, 3],
            [4, 5, 6],
            [3, 0, 4],
            [1, 2, 6],
            [0, 4, 1],
            [5, 3, 2],
        ];
        for (step, indices) in expected.iter().enumerate() {
            assert_eq!(order.indices(step as u64), indices);
        }
        for step in [6, 0, 3, 3, 2, 5, 1, 4] {
            assert_eq!(order.indices(step), expected[step as usize]);
            assert_eq!(order.clone().indices(step), expected[step as usize]);
            assert_eq!(
                BatchOrder::new(7, 3, 42).unwrap().indices(step),
                expected[step as usize]
            );
        }
        assert_eq!(order.indices(u64::MAX).len(), 3);
    }

    #[test]
    fn every_example_once_an_epoch() {
        for (examples, rows) in [(10, 1), (10, 3), (10, 10), (3, 8), (1, 4)] {
            let mut order = BatchOrder::new(examples, rows, 9).unwrap();
            let steps = (examples * 4).div_ceil(rows);
            let seen: Vec<usize> = (0..steps as u64)
                .flat_map(|step| order.indices(step))
                .collect();
            for epoch in seen.chunks_exact(examples) {
                let mut epoch = epoch.to_vec();
                epoch.sort_unstable();
                assert_eq!(epoch, Vec::from_iter(0..examples), "{examples} in {rows}");
            }
        }
    }

    #[test]
    fn epochs_are_counted() {
        let order = BatchOrder::new(10, 4, 0).unwrap();
        assert_eq!(order.steps_per_epoch(), 3);
        assert_eq!(order.epochs(5), 2.0);
        assert_eq!(order.epochs(1), 0.4);
    }

    #[test]
    fn sizes_are_checked() {
        assert!(BatchOrder::new(0, 1, 0).is_err());
        assert!(BatchOrder::new(1, 0, 0).is_err());
        let layout = Layout {
            sequence_length: 1 << 16,
            pad: 0,
        };
        for (rows, fits) in [
            (0, false),
            (1, true),
            (256, true),
            (257, false),
            (usize::MAX, false),
        ] {
            assert_eq!(check_rows(rows, layout).is_ok(), fits, "{rows}");
        }
    }
}
