//! What can be wrong with a data file.

use std::fmt;

/// Why a file cannot be trained on: which file and line, what is wrong, and what would work.
///
/// Reads as "notes.jsonl, line 3: …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct DataError {
    /// File name as the user knows it; empty where no file is at fault.
    pub file: String,
    /// First line at fault, counted from 1, where one can be named.
    pub line: Option<usize>,
    /// Cause and way out, in a sentence without a final full stop.
    pub problem: String,
}

impl DataError {
    /// A problem that no file has yet been named for; [`DataError::at`] names it.
    pub fn new(problem: impl Into<String>) -> Self {
        Self {
            file: String::new(),
            line: None,
            problem: problem.into(),
        }
    }

    /// A problem of `file` as a whole.
    pub fn in_file(file: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            ..Self::new(problem)
        }
    }

    /// The same problem, at `line` of `file`. A place that is already known stays.
    #[must_use]
    pub fn at(mut self, file: &str, line: usize) -> Self {
        if self.file.is_empty() {
            self.file = file.to_owned();
            self.line.get_or_insert(line);
        }
        self
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.is_empty(), self.line) {
            (true, _) => formatter.write_str(&self.problem),
            (false, None) => write!(formatter, "{}: {}", self.file, self.problem),
            (false, Some(line)) => {
                write!(formatter, "{}, line {line}: {}", self.file, self.problem)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_file_and_line_where_they_are_known() {
        let bare = DataError::new("no model");
        assert_eq!(bare.to_string(), "no model");
        assert_eq!(
            DataError::in_file("a.txt", "empty").to_string(),
            "a.txt: empty"
        );
        let placed = bare.at("b.csv", 7);
        assert_eq!(placed.to_string(), "b.csv, line 7: no model");
        assert_eq!(placed.clone().at("c.csv", 9), placed);
    }
}
