//! Long documents in pieces, each of which is tokenised between two messages of a worker.

use super::plain::PIECE_BYTES;
use super::{Record, RecordAtLine};

/// A piece ends at the first good place after [`PIECE_BYTES`], or after so many bytes wherever that is.
const LONGEST: usize = 8 * PIECE_BYTES;

/// The same records, but long documents in pieces.
pub(super) fn cut(records: Vec<RecordAtLine>) -> Vec<RecordAtLine> {
    let is_long =
        |it: &RecordAtLine| matches!(&it.record, Record::Text(text) if text.len() > LONGEST);
    if !records.iter().any(is_long) {
        return records;
    }
    let mut all = Vec::with_capacity(records.len());
    for one in records {
        match &one.record {
            Record::Text(text) if is_long(&one) => all.extend(pieces(text).map(|piece| {
                let record = Record::Text(piece.to_owned());
                RecordAtLine {
                    line: one.line,
                    record,
                }
            })),
            _ => all.push(one),
        }
    }
    all
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = match rest.len() {
            0 => return None,
            short if short <= PIECE_BYTES => short,
            long => {
                let last = rest.floor_char_boundary(LONGEST);
                let from = rest.floor_char_boundary(PIECE_BYTES);
                match next_place(rest, from).filter(|place| *place <= last) {
                    Some(place) => place,
                    None if long <= LONGEST => long,
                    None => last,
                }
            }
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

/// The first byte after `from` at which tokenizers begin a word whatever stands before: a space or a line end between what is
/// no space and a letter, or a full-width mark between letters.
pub(crate) fn next_place(text: &str, from: usize) -> Option<usize> {
    let mut letters = text[from..].char_indices().peekable();
    let (_, mut before) = letters.next()?;
    while let Some((at, letter)) = letters.next() {
        let after = letters.peek().map_or(' ', |(_, after)| *after);
        let begins = match letter {
            ' ' => !before.is_whitespace() && after.is_alphabetic(),
            '。' | '，' | '！' | '？' | '；' | '：' => {
                before.is_alphabetic() && after.is_alphabetic()
            }
            _ => before == '\n' && letter.is_alphabetic(),
        };
        if begins {
            return Some(from + at);
        }
        before = letter;
        // Not to look through a whole file for a place that would come too late.
        if at > LONGEST {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(text: &str) -> Vec<usize> {
        let pieces: Vec<&str> = pieces(text).collect();
        assert_eq!(pieces.concat(), text);
        pieces.iter().map(|piece| piece.len()).collect()
    }

    #[test]
    fn a_text_is_cut_between_words_or_where_it_must_be() {
        assert_eq!(lengths("short text"), [10]);
        assert_eq!(lengths(""), [0; 0]);
        // Words of 7 letters and a space: 32,768 is the place of a word's first letter, so that it ends before the next space.
        let words = "abcdefg ".repeat(10_000);
        assert_eq!(lengths(&words), [32_775, 32_776, 14_449]);
        let no_spaces = "é".repeat(200_000);
        assert_eq!(lengths(&no_spaces), [262_144, 137_856]);
        let spaces = " ".repeat(300_000);
        assert_eq!(lengths(&spaces), [262_144, 37_856]);
        let chinese = "字字字字。".repeat(4000);
        assert_eq!(lengths(&chinese), [32_772, 27_228]);
    }

    #[test]
    fn words_begin_at_a_space_before_a_letter() {
        let cases = [
            ("ab cd", Some(2)),
            ("ab  cd", None),
            ("ab 12", None),
            ("ab, cd", Some(3)),
            ("ab\ncd", Some(3)),
            ("字。字", Some(3)),
            ("字。", None),
        ];
        for (text, expected) in cases {
            assert_eq!(next_place(text, 0), expected, "{text}");
        }
    }
}
