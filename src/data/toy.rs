//! A tokenizer for tests: a token a byte, and two control tokens.

use super::codec::{ChatMessage, TextCodec};
use super::error::DataError;

/// Written `<end>`.
pub(crate) const END: u32 = 256;
/// Written `<begin>`.
pub(crate) const BEGIN: u32 = 257;
/// Never written.
pub(crate) const PAD: u32 = 258;

/// A tokenizer whose chat template is a line a turn: the role's first letter, a colon, the content, `<end>`.
#[derive(Debug, Clone)]
pub(crate) struct ToyCodec {
    /// Whether texts begin with [`BEGIN`].
    pub begin: bool,
    /// Whether the template ends turns with [`END`].
    pub ends_turns: bool,
    /// Whether the template leaves out all answers but the last.
    pub forgets_answers: bool,
}

impl Default for ToyCodec {
    fn default() -> Self {
        Self {
            begin: false,
            ends_turns: true,
            forgets_answers: false,
        }
    }
}

impl ToyCodec {
    /// Tokens as text, with brackets around those that count.
    pub(crate) fn shown(ids: &[u32], counts: &[bool]) -> String {
        let mut text = String::new();
        let mut inside = false;
        for (id, counts) in ids.iter().zip(counts) {
            if *counts != inside {
                text.push(if inside { ']' } else { '[' });
                inside = *counts;
            }
            match *id {
                END => text.push_str("<end>"),
                BEGIN => text.push_str("<begin>"),
                10 => text.push_str("\\n"),
                id => text.extend(char::from_u32(id)),
            }
        }
        if inside {
            text.push(']');
        }
        text
    }
}

impl TextCodec for ToyCodec {
    fn encode(&self, text: &str) -> Result<Vec<u32>, DataError> {
        if text.contains("<refused>") {
            return Err(DataError::new("the tokenizer refuses this"));
        }
        let mut ids = Vec::new();
        for (index, part) in text.split("<end>").enumerate() {
            if index > 0 {
                ids.push(END);
            }
            ids.extend(part.bytes().map(u32::from));
        }
        Ok(ids)
    }

    fn end_of_text(&self) -> Option<u32> {
        Some(END)
    }

    fn begin_of_text(&self) -> Option<u32> {
        self.begin.then_some(BEGIN)
    }

    fn pad(&self) -> u32 {
        PAD
    }

    fn render_chat(
        &self,
        messages: &[ChatMessage],
        add_generation_prompt: bool,
    ) -> Result<String, DataError> {
        let end = if self.ends_turns { "<end>" } else { "" };
        let mut text = String::new();
        for (index, message) in messages.iter().enumerate() {
            if self.forgets_answers && message.is_assistant() && index + 1 < messages.len() {
                continue;
            }
            let role = &message.role[..1];
            text.push_str(&format!("{role}:{}{end}\n", message.content));
        }
        if add_generation_prompt {
            text.push_str("a:");
        }
        Ok(text)
    }
}
