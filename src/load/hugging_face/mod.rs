//! Model folders as Hugging Face transformers writes them.

mod files;
mod safetensors;

pub use files::{CONFIG, Folder, LONGEST_TEXT, TOKENIZER, missing};
pub(crate) use safetensors::stored_tensors;
