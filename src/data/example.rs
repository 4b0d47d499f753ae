//! One sequence of tokens, and which of them are learned.

use serde::{Deserialize, Serialize};

/// Which tokens are labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub enum LossOn {
    /// Those of completions and of assistants' turns, with the token that ends them.
    Completion,
    /// All.
    All,
}

/// A sequence to train on, or to measure the loss on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Token ids, [T].
    pub ids: Vec<u32>,
    /// Whether the loss of predicting `ids[i]` from the tokens before it counts, [T]. Never so for the first token.
    pub counts: Vec<bool>,
    /// How many tokens stand before the first completion; 0 in plain text. `ids[..prompt_tokens]` is what a model is
    /// given to be sampled from, `ids[prompt_tokens..]` what it shall write.
    pub prompt_tokens: usize,
}

impl Example {
    /// How many tokens count in the loss.
    pub fn counted(&self) -> usize {
        self.counts.iter().filter(|counts| **counts).count()
    }

    /// Appends `ids`, all of which count or none.
    pub(super) fn push(&mut self, ids: &[u32], counts: bool) {
        self.ids.extend_from_slice(ids);
        self.counts.resize(self.ids.len(), counts);
    }

    /// An example without tokens.
    pub(super) fn empty() -> Self {
        Self {
            ids: Vec::new(),
            counts: Vec::new(),
            prompt_tokens: 0,
        }
    }
}
