//! Adapters out and in, in PEFT's format: `adapter_config.json` and `adapter_model.safetensors`.
//! Out also as a GGUF file for llama.cpp, and merged into the base.
//!
//! PEFT adapts whole modules. Adapters on the parts of GPT-2's fused layer leave as one adapter on
//! the whole, whose `lora_A` stacks theirs and whose `lora_B` has theirs as blocks (see `fused`).

mod base_id;
mod card;
mod factors;
mod fused;
mod gguf;
mod merged;
mod modules;
mod precision;
mod read;
mod write;

pub use base_id::{base_id, known_base};
pub use card::{Card, card};
pub use gguf::write_gguf;
pub use merged::{Merged, SpecialTokens};
pub use precision::Precision;
pub use read::{ReadAdapter, read};
pub use write::write;

use crate::tensor_file::TensorFileError;

/// File name of the settings.
pub const CONFIG_FILE: &str = "adapter_config.json";
/// File name of the factors.
pub const WEIGHTS_FILE: &str = "adapter_model.safetensors";
/// File name of the card.
pub const CARD_FILE: &str = "README.md";
/// File name of the adapter for llama.cpp, where it lies beside the other two.
pub const GGUF_FILE: &str = "adapter.gguf";

/// Why an adapter cannot be read or written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct PeftError {
    /// Which of the two files.
    pub file: &'static str,
    /// Cause and way out.
    pub problem: String,
}

impl PeftError {
    fn new(file: &'static str, problem: impl ToString) -> Self {
        Self {
            file,
            problem: problem.to_string(),
        }
    }
}

impl From<TensorFileError> for PeftError {
    fn from(error: TensorFileError) -> Self {
        Self::new(WEIGHTS_FILE, error)
    }
}

/// One adapter as files.
#[derive(Debug, Clone, PartialEq)]
pub struct PeftFolder {
    /// `adapter_config.json`.
    pub config: Vec<u8>,
    /// `adapter_model.safetensors`.
    pub weights: Vec<u8>,
}
