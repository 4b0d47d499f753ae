//! `prompt||completion` lines, the form in which the LoRA repository keeps E2E.

use super::bad_lines::BadLines;
use super::{Record, RecordAtLine};
use crate::data::error::DataError;

/// What stands between prompt and completion; the first one of a line counts.
pub const MARK: &str = "||";

/// A pair for every line that is not blank; spaces around prompt and completion are dropped.
///
/// # Errors
/// [`DataError`] about the first line without a mark or with nothing after it, or if there are no pairs.
pub fn read(file: &str, text: &str, maximum: usize) -> Result<Vec<RecordAtLine>, DataError> {
    let mut bad_lines = BadLines::default();
    let mut records = Vec::new();
    let filled = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    for (index, content) in filled {
        if records.len() == maximum {
            break;
        }
        let line = index + 1;
        match content
            .split_once(MARK)
            .map(|(prompt, completion)| (prompt.trim(), completion.trim()))
        {
            None => bad_lines.add(
                line,
                format!(
                    "has no {MARK}; write prompt{MARK}completion, or choose the plain text format"
                ),
            ),
            Some((_, "")) => bad_lines.add(
                line,
                format!("has nothing after {MARK}; write a completion or remove the line"),
            ),
            Some((prompt, completion)) => records.push(RecordAtLine {
                line,
                record: Record::Pair {
                    prompt: prompt.to_owned(),
                    completion: completion.to_owned(),
                },
            }),
        }
    }
    bad_lines.check(
        file,
        records,
        "write a prompt||completion pair on each line",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(line: usize, prompt: &str, completion: &str) -> RecordAtLine {
        RecordAtLine {
            line,
            record: Record::Pair {
                prompt: prompt.into(),
                completion: completion.into(),
            },
        }
    }

    #[test]
    fn first_mark_splits_and_spaces_go() {
        let records = read("e2e.txt", "\n a : b || c \n||d||e\n", usize::MAX);
        assert_eq!(
            records,
            Ok(vec![pair(2, "a : b", "c"), pair(3, "", "d||e")])
        );
        assert_eq!(
            read("e2e.txt", "a||b\nc||d\nbad", 1),
            Ok(vec![pair(1, "a", "b")])
        );
    }

    #[test]
    fn bad_lines_are_named_and_counted() {
        let cases = [
            (
                "a||b\nc\nd\ne||\n",
                "e2e.txt, line 2: has no ||; write prompt||completion, or choose the plain text format (and 2 more bad lines)",
            ),
            (
                "a|| ",
                "e2e.txt, line 1: has nothing after ||; write a completion or remove the line",
            ),
            (
                "\n\n",
                "e2e.txt: has no examples; write a prompt||completion pair on each line",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(
                read("e2e.txt", text, usize::MAX).unwrap_err().to_string(),
                expected
            );
        }
    }
}
