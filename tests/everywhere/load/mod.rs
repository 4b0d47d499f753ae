//! Test bodies run natively and in the browser; fixtures are compiled in.

pub mod damage;
pub mod gguf_writer;

mod chat;
mod damaged;
mod dequantise;
pub mod gguf;
mod gguf_parts;
pub mod gpt2;
mod hugging_face;
mod malformed;
mod odd_folders;
mod positions;
mod tokenizer;

use riemann_lora::{
    load::{LoadError, MemorySource},
    model::{Checkpoint, ModelConfig},
};

/// A file of the golden Llama model.
pub const GOLDEN_CONFIG: &[u8] = include_bytes!("../../fixtures/golden/llama/model/config.json");
/// Its weights.
pub const GOLDEN_WEIGHTS: &[u8] =
    include_bytes!("../../fixtures/golden/llama/model/model.safetensors");
/// The golden tokenizer, of as many tokens as that model has.
pub const GOLDEN_TOKENIZER: &[u8] = include_bytes!("../../fixtures/golden/tokenizer.json");

/// Opens a checkpoint of files in memory.
pub async fn open(files: &[(&str, &[u8])]) -> Result<Checkpoint<MemorySource>, LoadError> {
    let sources = files
        .iter()
        .map(|(name, bytes)| MemorySource::new(*name, *bytes));
    Checkpoint::open(sources.collect()).await
}

/// The three files that a folder needs.
pub fn golden_folder() -> Vec<(&'static str, &'static [u8])> {
    vec![
        ("config.json", GOLDEN_CONFIG),
        ("model.safetensors", GOLDEN_WEIGHTS),
        ("tokenizer.json", GOLDEN_TOKENIZER),
    ]
}

/// Base of the rotary frequencies.
pub fn theta(config: &ModelConfig) -> f64 {
    let rotary = config.rotary.as_ref();
    rotary.expect("it has rotary positions").theta
}

/// Checks that opening fails and that the message contains `expected`.
pub async fn assert_refused(files: &[(&str, &[u8])], expected: &str) {
    match open(files).await {
        Ok(checkpoint) => panic!("expected {expected:?}, but {checkpoint:?} was opened"),
        Err(error) => {
            let message = error.to_string();
            assert!(
                message.contains(expected),
                "expected {expected:?} in {message:?}"
            );
            let has_way_out = message.contains("; ");
            let is_refusal = message.contains("not supported") || message.contains("is missing");
            assert!(has_way_out || !is_refusal, "{message:?}");
        }
    }
}
