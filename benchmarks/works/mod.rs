//! The training steps that `scripts/bench peers` compares: this project's own layers, loss, backward pass and optimizer on
//! synthetic weights, which every engine makes for itself.
//!
//! Built as a wasm module it is what `benchmarks/peers/ours.js` loads; `benchmarks/burn-lora` runs it natively.

pub mod block;
pub mod head;
pub mod layers;
pub mod numbers;
pub mod optimizer;
pub mod size;
pub mod trainer;
#[cfg(target_arch = "wasm32")]
mod web;
pub mod whole_head;
pub mod work;
