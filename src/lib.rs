//! riemann-lora
pub mod data;
pub mod engine;
mod failure;
pub mod generate;
pub mod load;
pub mod messages;
pub mod model;
pub mod optim;
pub mod peft;
pub mod train;
#[cfg(target_arch = "wasm32")]
pub mod web;
