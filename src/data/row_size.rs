//! How large a row may be.

use super::conversation::Conversation;
use super::read::Record;
use super::skipped::{RowError, SkipReason};

/// Bytes of the largest pair or conversation that is read: it is tokenised in one piece, which nobody can stop, and that many
/// take a browser about a second. The longest sequence that can be trained has 65,536 tokens, some 300,000 bytes.
pub const LARGEST_ROW: usize = 1 << 20;

/// Whether a record can be tokenised; text comes in pieces, however long it is.
///
/// # Errors
/// [`RowError`] of a larger pair or conversation.
pub fn check(record: &Record) -> Result<(), RowError> {
    let bytes = match record {
        Record::Pair {
            system,
            prompt,
            completion,
        } => system.as_ref().map_or(0, String::len) + prompt.len() + completion.len(),
        Record::Chat(conversation) => of_chat(conversation),
        Record::Text(_) | Record::EndOfDocument => 0,
    };
    if bytes <= LARGEST_ROW {
        return Ok(());
    }
    Err(RowError::new(
        SkipReason::TooLarge,
        format!(
            "has {} of text, and a pair or a conversation may have {}; divide it into several, or train on it as a document, in a field \
             `text`",
            megabytes(bytes),
            megabytes(LARGEST_ROW)
        ),
    ))
}

fn of_chat(conversation: &Conversation) -> usize {
    let messages = conversation.messages.iter().map(|message| {
        let more = message.more.values().map(|value| value.to_string().len());
        message.content.len() + more.sum::<usize>()
    });
    let tools = conversation.tools.as_ref();
    messages.sum::<usize>() + tools.map_or(0, |tools| tools.to_string().len())
}

fn megabytes(bytes: usize) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
