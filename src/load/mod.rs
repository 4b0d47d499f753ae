//! Bytes in, tensors and tokenizers out; what a model is stands in [`crate::model`].
//!
//! - [`source`]: where bytes come from, so that a file is never whole in memory
//! - [`gguf`] and [`hugging_face`]: which tensors and metadata a file of each format holds, read from headers only
//! - [`tensor`]: a tensor's place in its file, and its values
//! - [`quoted`]: what a file says, within what is said of it
//! - [`tokenizer`]: text to ids and back, and chat templates

pub mod error;
pub mod gguf;
pub mod hugging_face;
pub mod quoted;
pub mod source;
pub mod tensor;
pub mod tokenizer;

pub use crate::packed::StorageType;
pub use error::LoadError;
#[cfg(not(target_arch = "wasm32"))]
pub use source::FileSource;
pub use source::{MemorySource, Source};
pub use tensor::{HostTensor, PackedTensor, TensorInfo};
pub use tokenizer::{ChatMessage, Encoded, TextStream, Tokenizer, TokenizerExtras};
