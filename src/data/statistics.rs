//! What a data set is like.

use serde::{Deserialize, Serialize};

use super::example::Example;
use super::skipped::SkippedRows;

/// Number of equally wide bars of [`DatasetStatistics::lengths`].
pub const BARS: usize = 16;

/// Sizes of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DatasetStatistics {
    /// Examples to train on.
    pub train_examples: usize,
    /// Examples that are kept out.
    pub validation_examples: usize,
    /// Tokens of the training examples, after cutting.
    pub train_tokens: usize,
    /// Tokens of the training examples that count in the loss, after cutting.
    pub train_counted_tokens: usize,
    /// Tokens of the validation examples, after cutting.
    pub validation_tokens: usize,
    /// Tokens of the validation examples that count in the loss, after cutting.
    pub validation_counted_tokens: usize,
    /// Tokens of the longest example, before cutting; dropped ones included.
    pub longest: usize,
    /// Tokens of a length into which 95 % of the examples fit, before cutting; dropped ones included.
    pub length_95: usize,
    /// Examples that were cut to the sequence length and kept.
    pub truncated: usize,
    /// Examples that were left out because nothing of a completion fits into the sequence length.
    pub dropped: usize,
    /// Rows that nothing is learned from.
    pub skipped: SkippedRows,
    /// Rows in which somebody wrote out a control token, which is trained as the text that it is.
    pub control_in_text: ControlInText,
    /// Whether no prompt of the validation examples is also trained on. Not looked at for a separate validation file.
    pub prompts_kept_apart: bool,
    /// How many examples have which length before cutting.
    pub lengths: LengthHistogram,
}

/// Control tokens that stand in the text of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ControlInText {
    /// How many rows have one.
    pub rows: usize,
    /// Line of the first such row, counted from 1.
    pub line: usize,
    /// The token, as it is written.
    pub token: String,
}

impl ControlInText {
    /// Counts a row.
    pub(super) fn add(&mut self, line: usize, token: String) {
        if self.rows == 0 {
            (self.line, self.token) = (line, token);
        }
        self.rows += 1;
    }
}

/// How many examples have which length.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LengthHistogram {
    /// Width of a bar in tokens: bar i counts lengths above i · width, up to (i + 1) · width.
    pub width: usize,
    /// Examples of each bar; the last bar counts all that are longer than the sequence length.
    pub examples: Vec<usize>,
}

impl LengthHistogram {
    /// Bars up to `sequence_length` and one for what is longer, all empty.
    pub(super) fn new(sequence_length: usize) -> Self {
        let width = sequence_length.div_ceil(BARS).max(1);
        Self {
            width,
            examples: vec![0; sequence_length.div_ceil(width) + 1],
        }
    }

    /// Counts an example of `length` tokens, of which `sequence_length` are kept.
    pub(super) fn add(&mut self, length: usize, sequence_length: usize) {
        let longer = self.examples.len() - 1;
        let bar = if length > sequence_length {
            longer
        } else {
            length.saturating_sub(1) / self.width
        };
        self.examples[bar] += 1;
    }
}

/// The shortest of `lengths` that at least 95 of 100 do not exceed (the nearest-rank percentile); 0 where there are none.
pub(super) fn length_95(lengths: &mut [usize]) -> usize {
    let place = (lengths.len() * 95).div_ceil(100).saturating_sub(1);
    match lengths.is_empty() {
        true => 0,
        false => *lengths.select_nth_unstable(place).1,
    }
}

/// Tokens of `examples`, and how many of them count.
pub(super) fn tokens(examples: &[Example]) -> (usize, usize) {
    examples.iter().fold((0, 0), |(all, counted), example| {
        (all + example.ids.len(), counted + example.counted())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_is_a_length_that_is_there() {
        assert_eq!(length_95(&mut []), 0);
        assert_eq!(length_95(&mut [7]), 7);
        assert_eq!(length_95(&mut [3, 9]), 9);
        let mut lengths: Vec<usize> = (1..=100).rev().collect();
        assert_eq!(length_95(&mut lengths), 95);
        let mut lengths: Vec<usize> = (1..=21).collect();
        assert_eq!(length_95(&mut lengths), 20);
    }

    #[test]
    fn bars_meet_without_gap() {
        let mut lengths = LengthHistogram::new(40);
        assert_eq!((lengths.width, lengths.examples.len()), (3, 15));
        for length in [1, 3, 4, 39, 40, 41, 1000] {
            lengths.add(length, 40);
        }
        assert_eq!(
            lengths.examples,
            [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2]
        );
        assert_eq!(LengthHistogram::new(2).examples.len(), 3);
    }
}
