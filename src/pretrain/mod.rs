//! Training of all weights from nothing: how the tiny model that the page brings along was made.
//!
//! The forward pass is the frozen base's own ([`crate::model`]), on weights that have gradients, and the update is
//! [`crate::optim`]'s AdamW, for which a weight matrix is a bank of one run. Llamas only.

#[cfg(all(test, not(feature = "webgpu"), not(target_arch = "wasm32")))]
mod tests;
mod trainer;
mod weights;

pub use trainer::{PretrainReport, PretrainSettings, Pretraining};
pub use weights::Weights;
