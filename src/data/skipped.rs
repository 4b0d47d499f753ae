//! Rows of a file that nothing is learned from, and why.

use serde::{Deserialize, Serialize};

use super::error::DataError;

/// How many rows are kept with their words; of the others only the number is.
const ROWS_SHOWN: usize = 3;

/// Why a row is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum SkipReason {
    /// It is no row of the file's format.
    Unreadable,
    /// A field is missing, or says something that is not computed.
    Field,
    /// Nobody answers.
    NoAnswer,
    /// An answer is empty.
    EmptyAnswer,
    /// The chat template refuses it, or leaves a part of it out.
    Template,
    /// The tokenizer cannot express it.
    Tokenizer,
    /// It is larger than what is tokenised in one piece.
    TooLarge,
}

/// What is wrong with one row: the reason, and a sentence with a way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// What kind of problem it is.
    pub reason: SkipReason,
    /// The problem in words, without a final full stop.
    pub problem: String,
}

impl RowError {
    /// A problem of a kind.
    pub fn new(reason: SkipReason, problem: impl Into<String>) -> Self {
        Self {
            reason,
            problem: problem.into(),
        }
    }

    /// A field that is missing or cannot be used.
    pub(super) fn field(problem: impl Into<String>) -> Self {
        Self::new(SkipReason::Field, problem)
    }

    /// A codec's refusal, which knows neither file nor row.
    pub(super) fn of_codec(reason: SkipReason) -> impl Fn(DataError) -> Self {
        move |error| Self::new(reason, error.problem)
    }
}

/// One row that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SkippedRow {
    /// File name as the user knows it.
    pub file: String,
    /// Line where the row begins, counted from 1.
    pub line: usize,
    /// What is wrong, and what would help.
    pub problem: String,
}

/// How many rows were left out for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SkipCount {
    /// The reason.
    pub reason: SkipReason,
    /// Rows.
    pub rows: usize,
}

/// All rows of a data set that were left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SkippedRows {
    /// How many for which reason, in the order in which the reasons were met.
    pub counts: Vec<SkipCount>,
    /// The first of them.
    pub first: Vec<SkippedRow>,
}

impl SkippedRows {
    /// Counts a row of the only file that was counted so far.
    pub(super) fn add(&mut self, file: &str, line: usize, error: RowError) {
        self.count(error.reason, 1);
        // Rows that cannot be read are met before those that cannot be encoded.
        let place = self.first.partition_point(|first| first.line <= line);
        let row = SkippedRow {
            file: file.to_owned(),
            line,
            problem: error.problem,
        };
        self.first.insert(place, row);
        self.first.truncate(ROWS_SHOWN);
    }

    /// Counts the rows of another file, or of a later step.
    pub(super) fn append(&mut self, other: Self) {
        for SkipCount { reason, rows } in other.counts {
            self.count(reason, rows);
        }
        let room = ROWS_SHOWN - self.first.len();
        self.first.extend(other.first.into_iter().take(room));
    }

    fn count(&mut self, reason: SkipReason, rows: usize) {
        match self.counts.iter_mut().find(|count| count.reason == reason) {
            Some(count) => count.rows += rows,
            None => self.counts.push(SkipCount { reason, rows }),
        }
    }

    /// How many there are.
    pub fn rows(&self) -> usize {
        self.counts.iter().map(|count| count.rows).sum()
    }

    /// What to say where no row is left: the first problem, and how many more there are.
    pub(super) fn error(&self) -> Option<DataError> {
        let first = self.first.first()?;
        let others = match self.rows() - 1 {
            0 => String::new(),
            1 => " (and 1 more bad row)".to_owned(),
            count => format!(" (and {count} more bad rows)"),
        };
        Some(DataError {
            file: first.file.clone(),
            line: Some(first.line),
            problem: format!("{}{others}", first.problem),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_three_are_kept() {
        let mut skipped = SkippedRows::default();
        assert_eq!(skipped.error(), None);
        for line in [4, 1, 3, 2] {
            let error = RowError::new(SkipReason::EmptyAnswer, "has an empty answer");
            skipped.add("a.jsonl", line, error);
        }
        let mut other = SkippedRows::default();
        other.add("b.jsonl", 9, RowError::field("has no field `a`"));
        skipped.append(other);
        let counts = skipped.counts.iter().map(|count| count.rows);
        assert_eq!(counts.collect::<Vec<_>>(), [4, 1]);
        assert_eq!((skipped.rows(), skipped.first.len()), (5, 3));
        assert_eq!(
            skipped.error().unwrap().to_string(),
            "a.jsonl, line 1: has an empty answer (and 4 more bad rows)"
        );
    }
}
