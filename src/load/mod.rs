//! Bytes in, model out.
//!
//! [`Checkpoint::open`] takes the files a user dropped and reads their headers only. It decides which format they are,
//! and checks there and then that every tensor of the model exists, has the right shape and lies inside its file.
//! After that, tensors are read one by one, by their Hugging Face names and in Hugging Face's layout, whichever
//! format they came from.
//!
//! - [`source`]: where bytes come from, so that a file is never whole in memory
//! - [`gguf`] and [`hugging_face`]: what each format says about config, tensors and tokenizer
//! - [`layout`]: which tensors a model has
//! - [`storage`] and [`dequantise`]: from packed bytes to `f32`
//! - [`tokenizer`]: text to ids and back, and chat templates

pub mod checkpoint;
pub mod dequantise;
pub mod error;
pub mod gguf;
pub mod hugging_face;
pub mod layout;
pub mod rotary;
pub mod source;
pub mod storage;
pub mod tensor;
pub mod tokenizer;

pub use checkpoint::Checkpoint;
pub use error::LoadError;
#[cfg(not(target_arch = "wasm32"))]
pub use source::FileSource;
pub use source::{MemorySource, Source};
pub use storage::StorageType;
pub use tensor::{HostTensor, PackedTensor, TensorInfo};
pub use tokenizer::{ChatMessage, TextStream, Tokenizer, TokenizerExtras};
