//! The model's own tokenizer as the codec of data.

use std::ops::Range;

use serde_json::Value;

use super::{DataError, TextCodec};
use crate::load::{ChatMessage, Encoded, LoadError, Tokenizer};

impl From<LoadError> for DataError {
    fn from(error: LoadError) -> Self {
        // The codec's caller adds the data file; which model file is at fault stays in the words.
        Self::new(error.to_string())
    }
}

impl TextCodec for Tokenizer {
    fn encode(&self, text: &str, written: &[Range<usize>]) -> Result<Encoded, DataError> {
        Ok(self.encode_written(text, written)?)
    }

    fn written_out(&self, id: u32) -> Option<String> {
        self.token(id)
    }

    fn end_of_text(&self) -> Option<u32> {
        self.eos_ids().first().copied()
    }

    fn begin_of_text(&self) -> Option<u32> {
        self.bos_id().filter(|_| self.starts_with_bos())
    }

    fn pad(&self) -> u32 {
        self.pad_id().or(self.end_of_text()).unwrap_or(0)
    }

    fn ends_generation(&self, id: u32) -> bool {
        self.eos_ids().contains(&id)
    }

    fn render_chat(
        &self,
        messages: &[ChatMessage],
        tools: Option<&Value>,
        add_generation_prompt: bool,
    ) -> Result<String, DataError> {
        Ok(Tokenizer::render_chat(
            self,
            messages,
            tools,
            add_generation_prompt,
        )?)
    }

    fn unwritten_opening(&self) -> Option<String> {
        Tokenizer::unwritten_opening(self)
    }
}
