//! `prompt||completion` lines, the form in which the LoRA repository keeps E2E.

use super::{Read, RecordAtLine, pair};
use crate::data::skipped::{RowError, SkipReason};

/// What stands between prompt and completion; the first one of a line counts.
pub const MARK: &str = "||";

/// A pair for every line that is not blank, with all its spaces.
pub fn read(file: &str, text: &str, maximum: usize) -> Read {
    let mut read = Read::default();
    let filled = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    for (index, content) in filled {
        if read.records.len() == maximum {
            break;
        }
        let line = index + 1;
        let record = match content.split_once(MARK) {
            None => Err(RowError::new(
                SkipReason::Unreadable,
                format!(
                    "has no {MARK}; write prompt{MARK}completion, or choose the plain text format"
                ),
            )),
            Some((prompt, completion)) => {
                pair(None, prompt.to_owned(), completion.to_owned(), "completion")
            }
        };
        match record {
            Ok(record) => read.records.push(RecordAtLine { line, record }),
            Err(error) => read.skipped.add(file, line, error),
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read::Record;

    fn pair(line: usize, prompt: &str, completion: &str) -> RecordAtLine {
        RecordAtLine {
            line,
            record: Record::Pair {
                system: None,
                prompt: prompt.into(),
                completion: completion.into(),
            },
        }
    }

    #[test]
    fn the_first_mark_splits_and_spaces_stay() {
        let records = read("e2e.txt", "\n a : b || c \n||d||e\n", usize::MAX).records;
        assert_eq!(records, [pair(2, " a : b ", " c "), pair(3, "", "d||e")]);
        let records = read("e2e.txt", "a||b\nc||d\nbad", 1).records;
        assert_eq!(records, [pair(1, "a", "b")]);
    }

    #[test]
    fn bad_lines_are_named_and_counted() {
        let read = read("e2e.txt", "a||b\nc\nd\ne|| \n", usize::MAX);
        assert_eq!(read.records, [pair(1, "a", "b")]);
        assert_eq!(
            read.skipped.error().unwrap().to_string(),
            "e2e.txt, line 2: has no ||; write prompt||completion, or choose the plain text format (and 2 more bad rows)"
        );
        assert_eq!(read.skipped.counts[1].reason, SkipReason::EmptyAnswer);
    }
}
