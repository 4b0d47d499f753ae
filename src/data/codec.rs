//! What this module needs of a tokenizer.

use std::ops::Range;

use serde_json::Value;

use super::error::DataError;
pub use crate::load::{ChatMessage, Encoded};

/// Text to token ids, and conversations to text, as the base model knows them.
///
/// Implementations return [`DataError::new`] without a file; the caller adds the file and the line.
pub trait TextCodec {
    /// Tokens of `text` and their places, where people wrote the bytes of `written`, in rising order. Control tokens outside
    /// of it (`<|im_end|>`) become one token each, because chat templates write them as text; inside they are text. Nothing
    /// is added at either end.
    ///
    /// # Errors
    /// [`DataError`] if the tokenizer refuses the text.
    fn encode(&self, text: &str, written: &[Range<usize>]) -> Result<Encoded, DataError>;

    /// The token `id` as it is written out in a text.
    fn written_out(&self, id: u32) -> Option<String>;

    /// The token after which a document or an answer is over, if the model has one.
    fn end_of_text(&self) -> Option<u32>;

    /// The token with which the model expects every sequence to begin, if it expects one.
    fn begin_of_text(&self) -> Option<u32>;

    /// The id that fills rows up. It is never a label and comes after everything that is, so any valid id will do.
    fn pad(&self) -> u32;

    /// Whether generation stops at `id`. Models may have more such tokens than [`TextCodec::end_of_text`].
    fn ends_generation(&self, id: u32) -> bool {
        self.end_of_text() == Some(id)
    }

    /// `messages` as the model's chat template writes them; with `add_generation_prompt`, up to where the assistant's
    /// next answer begins.
    ///
    /// # Errors
    /// [`DataError`] if the model has no chat template, or the template refuses these messages.
    fn render_chat(
        &self,
        messages: &[ChatMessage],
        tools: Option<&Value>,
        add_generation_prompt: bool,
    ) -> Result<String, DataError>;

    /// What the chat template says first where nobody speaks as the system; `None` where it adds nothing.
    fn unwritten_opening(&self) -> Option<String>;

    /// `text` without the token that begins a text, if somebody wrote it out there: it is added in any case.
    fn without_begin<'a>(&self, text: &'a str) -> &'a str {
        let begin = self.begin_of_text().and_then(|id| self.written_out(id));
        begin
            .and_then(|begin| text.strip_prefix(begin.as_str()))
            .unwrap_or(text)
    }

    /// `text` without the token that ends a text, if somebody wrote it out there: it is added in any case.
    fn without_end<'a>(&self, text: &'a str) -> &'a str {
        let end = self.end_of_text().and_then(|id| self.written_out(id));
        end.and_then(|end| text.strip_suffix(end.as_str()))
            .unwrap_or(text)
    }
}
