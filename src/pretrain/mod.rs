//! Training of all weights from nothing: how the tiny model that the page brings along was made.
//!
//! The forward pass is the frozen base's own ([`crate::model`]), on weights that have gradients, and the update is
//! [`crate::optim`]'s AdamW, for which a weight matrix is a bank of one run. [`Weights`] are those of a
//! Llama; [`weight`] and [`update`] serve every model that this project trains from nothing.

#[cfg(all(test, not(feature = "webgpu"), not(target_arch = "wasm32")))]
mod tests;
mod trainer;
pub mod update;
pub mod weight;
mod weights;

pub use trainer::{PretrainReport, PretrainSettings, Pretraining};
pub use weights::Weights;
