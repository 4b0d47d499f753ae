//! A tokenizer for tests: a token a byte, and two control tokens.

use std::ops::Range;

use super::codec::{ChatMessage, Encoded, TextCodec};
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
    /// Whether the template trims answers, and writes `()` before the last one, as Qwen3's writes an empty thought.
    pub thinks: bool,
}

impl Default for ToyCodec {
    fn default() -> Self {
        Self {
            begin: false,
            ends_turns: true,
            forgets_answers: false,
            thinks: false,
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
    fn encode(&self, text: &str, written: &[Range<usize>]) -> Result<Encoded, DataError> {
        if text.contains("<refused>") {
            return Err(DataError::new("the tokenizer refuses this"));
        }
        let mut encoded = Encoded::default();
        let mut at = 0;
        while at < text.len() {
            let controls = [("<end>", END), ("<begin>", BEGIN)];
            let control = controls
                .into_iter()
                .find(|(name, _)| text.as_bytes()[at..].starts_with(name.as_bytes()));
            let is_written = written.iter().any(|range| range.contains(&at));
            let (id, length) = match control {
                Some((name, id)) if !is_written => (id, name.len()),
                _ => (u32::from(text.as_bytes()[at]), 1),
            };
            if let Some((name, _)) = control.filter(|_| is_written) {
                encoded.control_in_text.get_or_insert(name.to_owned());
            }
            encoded.ids.push(id);
            encoded.places.push(at..at + length);
            at += length;
        }
        Ok(encoded)
    }

    fn written_out(&self, id: u32) -> Option<String> {
        match id {
            END => Some("<end>".to_owned()),
            BEGIN => Some("<begin>".to_owned()),
            _ => None,
        }
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
        _tools: Option<&serde_json::Value>,
        add_generation_prompt: bool,
    ) -> Result<String, DataError> {
        let end = if self.ends_turns { "<end>" } else { "" };
        let mut text = String::new();
        for (index, message) in messages.iter().enumerate() {
            if self.forgets_answers && message.is_assistant() && index + 1 < messages.len() {
                continue;
            }
            let role = &message.role[..1];
            let content = match self.thinks && message.is_assistant() {
                true => message.content.trim(),
                false => message.content.as_str(),
            };
            let is_last = index + 1 == messages.len();
            let thought = if self.thinks && message.is_assistant() && is_last {
                "()"
            } else {
                ""
            };
            text.push_str(&format!("{role}:{thought}{content}{end}\n"));
        }
        if add_generation_prompt {
            text.push_str("a:");
        }
        Ok(text)
    }

    fn unwritten_opening(&self) -> Option<String> {
        None
    }
}
