//! Text to records: one reader a format.

mod bad_lines;
pub mod json_lines;
pub mod pairs;
pub mod plain;
pub mod table;

use super::columns::Columns;
use super::detect::Format;
use super::error::DataError;
use super::settings::DocumentBreak;
use crate::load::ChatMessage;

/// What one place of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A prompt, and the completion that the model shall learn; trimmed, the completion never empty.
    Pair {
        /// What the model is given.
        prompt: String,
        /// What it shall answer.
        completion: String,
    },
    /// A conversation that ends with an assistant's turn.
    Chat(Vec<ChatMessage>),
    /// A piece of a document.
    Text(String),
    /// The document of the pieces before it is over.
    EndOfDocument,
}

/// A record and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordAtLine {
    /// Line of the file, counted from 1.
    pub line: usize,
    /// What stands there.
    pub record: Record,
}

/// What a reader needs to know beside the text.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOptions {
    /// Format of the text.
    pub format: Format,
    /// Fields of the pair in JSON lines and tables; guessed where `None`.
    pub columns: Option<Columns>,
    /// Where documents of plain text end.
    pub documents: DocumentBreak,
    /// No more pairs and conversations than these are read.
    pub maximum: usize,
}

/// All records of `text`, in the order of the file.
///
/// # Errors
/// [`DataError`] with the first bad line and how many there are, or if there is no record.
pub fn read(file: &str, text: &str, options: &ReadOptions) -> Result<Vec<RecordAtLine>, DataError> {
    let columns = options.columns.as_ref();
    match options.format {
        Format::Text => Ok(plain::read(text, options.documents)),
        Format::Pairs => pairs::read(file, text, options.maximum),
        Format::JsonLines => json_lines::read(file, text, columns, options.maximum),
        Format::Table => table::read(file, text, columns, options.maximum),
    }
}
