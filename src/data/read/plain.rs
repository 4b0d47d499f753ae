//! Running text, in pieces small enough to be tokenised between two messages of a worker.

use super::{Record, RecordAtLine};
use crate::data::settings::DocumentBreak;

/// A piece ends with the first line end after this many bytes.
pub const PIECE_BYTES: usize = 32 << 10;

/// The documents of `text`, each as pieces and an end.
///
/// Tokenizers do not join a line end with the letter after it, so that pieces that end with a line end and begin with a letter
/// give the same tokens as the whole text.
pub fn read(text: &str, documents: DocumentBreak) -> Vec<RecordAtLine> {
    let mut records = Vec::new();
    let mut piece = String::new();
    let mut first_line = 1;
    for (index, content) in text.split_inclusive('\n').enumerate() {
        let blank = content.trim().is_empty();
        if piece.is_empty() {
            first_line = index + 1;
        }
        let ends_piece = !blank && piece.len() >= PIECE_BYTES;
        let ends_document = blank && documents == DocumentBreak::BlankLine;
        if ends_piece || ends_document {
            flush(&mut records, &mut piece, first_line);
            first_line = index + 1;
        }
        if ends_document {
            end_document(&mut records, index + 1);
        } else {
            piece.push_str(content);
        }
    }
    flush(&mut records, &mut piece, first_line);
    end_document(&mut records, first_line);
    records
}

fn flush(records: &mut Vec<RecordAtLine>, piece: &mut String, line: usize) {
    if !piece.is_empty() {
        let record = Record::Text(std::mem::take(piece));
        records.push(RecordAtLine { line, record });
    }
}

/// Ends the document, unless nothing came after the last end.
fn end_document(records: &mut Vec<RecordAtLine>, line: usize) {
    if records
        .last()
        .is_some_and(|last| last.record != Record::EndOfDocument)
    {
        let record = Record::EndOfDocument;
        records.push(RecordAtLine { line, record });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, documents: DocumentBreak) -> Vec<(usize, Option<String>)> {
        read(text, documents)
            .into_iter()
            .map(|RecordAtLine { line, record }| match record {
                Record::Text(text) => (line, Some(text)),
                _ => (line, None),
            })
            .collect()
    }

    #[test]
    fn a_file_or_a_paragraph_is_a_document() {
        let text = "\na\nb\n\n \nc";
        assert_eq!(
            shown(text, DocumentBreak::File),
            [(1, Some(text.to_owned())), (1, None)]
        );
        assert_eq!(
            shown(text, DocumentBreak::BlankLine),
            [
                (2, Some("a\nb\n".to_owned())),
                (4, None),
                (6, Some("c".to_owned())),
                (6, None)
            ]
        );
    }

    #[test]
    fn long_documents_come_in_pieces_that_add_up() {
        let text = "0123456789abcde\n".repeat(5000);
        let records = read(&text, DocumentBreak::File);
        let pieces: Vec<&str> = records
            .iter()
            .filter_map(|record| match &record.record {
                Record::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(
            pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>(),
            [32768, 32768, 14464]
        );
        assert_eq!(pieces.concat(), text);
        assert_eq!(
            records.iter().map(|record| record.line).collect::<Vec<_>>(),
            [1, 2049, 4097, 4097]
        );
    }
}
