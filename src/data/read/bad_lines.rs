//! Counts the lines that a reader could not use, and keeps the first.

use crate::data::error::DataError;

/// The first bad line of a file, and how many follow.
#[derive(Default)]
pub(super) struct BadLines {
    first: Option<(usize, String)>,
    others: usize,
}

impl BadLines {
    /// Notes that `line` is bad because of `problem`.
    pub(super) fn add(&mut self, line: usize, problem: String) {
        match self.first {
            None => self.first = Some((line, problem)),
            Some(_) => self.others += 1,
        }
    }

    /// `records`, if no line was bad.
    ///
    /// # Errors
    /// [`DataError`] about the first bad line, or if there is no record at all, with `expected` as the way out.
    pub(super) fn check<T>(
        self,
        file: &str,
        records: Vec<T>,
        expected: &str,
    ) -> Result<Vec<T>, DataError> {
        if let Some((line, problem)) = self.first {
            let others = match self.others {
                0 => String::new(),
                1 => " (and 1 more bad line)".to_owned(),
                count => format!(" (and {count} more bad lines)"),
            };
            return Err(DataError {
                file: file.to_owned(),
                line: Some(line),
                problem: format!("{problem}{others}"),
            });
        }
        if records.is_empty() {
            return Err(DataError::in_file(
                file,
                format!("has no examples; {expected}"),
            ));
        }
        Ok(records)
    }
}
