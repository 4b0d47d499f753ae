//! The frozen base model and the adapters on it.

pub mod config;

pub use config::{ConfigError, ModelConfig};
