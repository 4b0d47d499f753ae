//! The frozen base model and the adapters on it.

pub mod adapters;
pub mod attention;
pub mod cache;
pub mod config;
pub mod dropout;
pub mod from_checkpoint;
pub mod llama;
pub mod lora;
pub mod norm;
pub mod rope;
pub mod target;

pub use adapters::{AdapterShape, Adapters};
pub use cache::Cache;
pub use config::{ConfigError, ModelConfig};
pub use dropout::Dropout;
pub use llama::{Block, Context, Llama};
pub use lora::Bank;
pub use target::Target;
