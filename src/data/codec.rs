//! What this module needs of a tokenizer.

use super::error::DataError;
pub use crate::load::ChatMessage;

/// Text to token ids, and conversations to text, as the base model knows them.
///
/// Implementations return [`DataError::new`] without a file; the caller adds the file and the line.
pub trait TextCodec {
    /// Token ids of `text`. Control tokens that are written out in it (`<|im_end|>`) become that one token, because chat
    /// templates write them as text; nothing is added at either end.
    ///
    /// # Errors
    /// [`DataError`] if the tokenizer refuses the text.
    fn encode(&self, text: &str) -> Result<Vec<u32>, DataError>;

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
        add_generation_prompt: bool,
    ) -> Result<String, DataError>;
}
