//! How a prompt is written for the model, in training and when it is sampled from.

use serde::{Deserialize, Serialize};

use super::codec::TextCodec;
use super::error::DataError;
use crate::load::ChatMessage;

/// What stands between prompt and completion in [`PromptStyle::Plain`] where nothing else is chosen.
///
/// A line end: completions then begin like any line of text, without a space that would be part of their first token.
pub const SEPARATOR: &str = "\n";

/// How a pair is written for the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub enum PromptStyle {
    /// The prompt, the separator, the completion, the end of text; after the token that begins a text, if the model has
    /// one. The form of the paper's E2E experiments.
    Plain,
    /// The prompt as the user's turn, the completion as the assistant's, in the model's chat template.
    Chat,
}

/// The tokens of `prompt` up to where the completion begins, with `separator` behind it in [`PromptStyle::Plain`].
///
/// They are those of training, unless a token reaches over the border between prompt and completion there.
///
/// # Errors
/// [`DataError`] of the codec, without a file.
pub fn encode_prompt<Codec: TextCodec + ?Sized>(
    prompt: &str,
    style: PromptStyle,
    separator: &str,
    codec: &Codec,
) -> Result<Vec<u32>, DataError> {
    match style {
        PromptStyle::Plain => {
            let prompt = codec.without_begin(prompt);
            let mut ids = Vec::from_iter(codec.begin_of_text());
            let written = 0..prompt.len();
            let text = format!("{prompt}{separator}");
            ids.extend(codec.encode(&text, std::slice::from_ref(&written))?.ids);
            Ok(ids)
        }
        PromptStyle::Chat => {
            let conversation = super::conversation::Conversation {
                messages: vec![ChatMessage::new("user", prompt)],
                tools: None,
            };
            conversation.encode_opening(codec)
        }
    }
}
