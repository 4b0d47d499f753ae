//! The frozen base model and the adapters on it.

pub mod adapters;
pub mod architecture;
pub mod arrangement;
pub mod base;
pub mod block;
pub mod cache;
pub mod checkpoint;
pub mod config;
pub mod context;
pub mod dropout;
pub mod from_checkpoint;
pub mod gelu;
pub mod lora;
pub mod norm;
pub mod rope;
pub mod rotary;
pub mod split;
pub mod target;
pub mod walk;
pub mod weight;

pub use adapters::{AdapterShape, Adapters};
pub use architecture::Architecture;
pub use base::{Base, Held, Incomplete, TooLong};
pub use block::{Block, Passage};
pub use cache::Cache;
pub use checkpoint::Checkpoint;
pub use config::{Activation, ConfigError, ModelConfig};
pub use context::Context;
pub use dropout::{Dropout, Places};
pub use lora::Bank;
pub use rotary::{Rotary, RotaryScaling};
pub use target::Target;
pub use weight::{FrozenWeight, WeightForm};
