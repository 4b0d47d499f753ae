//! The frozen base model and the adapters on it.

pub mod adapters;
pub mod attention;
pub mod base;
pub mod cache;
pub mod config;
pub mod context;
pub mod dropout;
pub mod from_checkpoint;
pub mod gelu;
pub mod gpt2;
pub mod llama;
pub mod lora;
pub mod norm;
pub mod rope;
pub mod target;
pub mod weight;

pub use adapters::{AdapterShape, Adapters};
pub use base::{Base, Body, Passage, TooLong};
pub use cache::Cache;
pub use config::{Architecture, ConfigError, Gpt2Config, LlamaConfig, ModelConfig};
pub use context::Context;
pub use dropout::Dropout;
pub use gpt2::{Affine, Gpt2, Gpt2Block};
pub use llama::{Llama, LlamaBlock};
pub use lora::Bank;
pub use target::Target;
pub use weight::{FrozenWeight, WeightForm};
