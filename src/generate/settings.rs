//! What can be asked of a model that writes.

use serde::{Deserialize, Serialize};

/// What to write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SampleSettings {
    /// The user's words.
    pub prompt: String,
    /// Whether the prompt is a turn of a chat.
    pub chat: bool,
    /// Most tokens to write.
    pub max_tokens: u32,
    /// 0 is greedy.
    pub temperature: f64,
    /// Keep only the k likeliest tokens; 0 keeps all.
    pub top_k: u32,
    /// Keep the likeliest tokens that make up this share; 1 keeps all.
    pub top_p: f64,
    /// Seed of the choices.
    pub seed: u32,
    /// An answer ends before the first of these that would come in it.
    #[serde(default)]
    pub stop: Vec<String>,
    /// Whether the base answers too.
    pub include_base: bool,
}
