//! Examples to batches, any step's without the ones before.

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
        self.labels.iter().filter(|label| **label != IGNORED_LABEL).count()
    }

    /// `examples` side by side, as long as the longest of them, rounded up to a multiple of 8 but not above
    /// `sequence_length`.
    fn new<'a>(examples: impl Iterator<Item = &'a Example> + Clone, layout: Layout) -> Self {
        let rows = examples.clone().count();
        let longest = examples.clone().map(|example| example.ids.len()).max().unwrap_or(0);
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
            Err(_) => format!("{examples} examples are more than can be put in order; limit their number"),
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
        Batch::new(indices.iter().map(|index| &self.examples[*index]), self.layout)
    }
}

/// `examples` in their order, `rows` a batch; the last batch may have fewer.
pub(super) fn in_order(
    examples: &[Example],
    rows: usize,
    layout: Layout,
) -> Result<impl Iterator<Item = Batch>, DataError> {
    check_rows(rows, layout)?;
    Ok(examples.chunks(rows).map(move |chunk| Batch::new(chunk.iter(), layout)))
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
