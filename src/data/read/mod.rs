//! Text to records: one reader a format.

mod chat;
pub mod json;
mod json_rows;
mod meant;
pub mod pairs;
pub(super) mod pieces;
pub mod plain;
mod quotes;
pub mod table;

pub use chat::{Roles, known_roles};

use super::columns::Columns;
use super::conversation::Conversation;
use super::detect::Format;
use super::error::DataError;
use super::settings::DocumentBreak;
use super::skipped::{RowError, SkipReason, SkippedRows};

/// What one place of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A prompt, and the completion that the model shall learn, as the file has them; the completion is never blank.
    Pair {
        /// What is said before the prompt about how to answer.
        system: Option<String>,
        /// What the model is given.
        prompt: String,
        /// What it shall answer.
        completion: String,
    },
    /// A conversation in which the assistant says something.
    Chat(Conversation),
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
    /// Fields of the pair in JSON and tables; guessed where `None`.
    pub columns: Option<Columns>,
    /// Where documents of plain text end.
    pub documents: DocumentBreak,
    /// What the names of those who speak in conversations are to chat templates.
    pub roles: Roles,
    /// No more pairs and conversations than these are read.
    pub maximum: usize,
}

/// What a reader made of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Read {
    /// What can be trained on, in the order of the file.
    pub records: Vec<RecordAtLine>,
    /// What cannot.
    pub skipped: SkippedRows,
    /// The columns of the first pair.
    pub columns: Option<Columns>,
    /// What stands between the fields of a table.
    pub separator: Option<char>,
    /// How the rows of a JSON file are put together, in words.
    pub arranged: Option<String>,
}

/// All records of `text`.
///
/// # Errors
/// [`DataError`] about the file as a whole; a bad row only costs itself, unless no row is good.
pub fn read(file: &str, text: &str, options: &ReadOptions) -> Result<Read, DataError> {
    let (mut read, expected) = match options.format {
        Format::Text => {
            let records = plain::read(text, options.documents);
            let read = Read {
                records,
                ..Read::default()
            };
            (read, "write some text")
        }
        Format::Pairs => (
            pairs::read(file, text, options.maximum),
            "write a prompt||completion pair on each line",
        ),
        Format::JsonLines => (
            json::read(file, text, options)?,
            "write a JSON object on each line",
        ),
        Format::Table => (
            table::read(file, text, options.columns.as_ref(), options.maximum)?,
            "write a row for each below the header line",
        ),
    };
    if read.records.is_empty() {
        return Err(read
            .skipped
            .error()
            .unwrap_or_else(|| DataError::in_file(file, format!("has no examples; {expected}"))));
    }
    read.records = pieces::cut(read.records);
    Ok(read)
}

/// Adds a field to a prompt that may have one already, with a line end between them.
fn join(prompt: &mut String, field: &str) {
    if !prompt.is_empty() && !field.is_empty() {
        prompt.push('\n');
    }
    prompt.push_str(field);
}

/// A pair, if its completion says something.
fn pair(
    system: Option<String>,
    prompt: String,
    completion: String,
    name: &str,
) -> Result<Record, RowError> {
    if completion.trim().is_empty() {
        return Err(RowError::new(
            SkipReason::EmptyAnswer,
            format!("has an empty `{name}`; nothing is learned from it"),
        ));
    }
    Ok(Record::Pair {
        system,
        prompt,
        completion,
    })
}
