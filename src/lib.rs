//! Fine-tunes a small language model with LoRA, in a browser or natively, and compares optimizers
//! with and without Riemannian preconditioning (Zhang and Pilanci, arXiv 2402.02347).
//!
//! # One step
//!
//! K **runs** start from the same adapters, see the same batches and differ only in their
//! optimizer. They share one forward and one backward pass.
//!
//! 1. [`data`] hands out the step's batch: ids and labels, [B, T], the same for every run and on
//!    every machine.
//! 2. [`model`] repeats it K times and passes [K·B, T] through the frozen base. Where a linear
//!    layer carries a **bank** ([`model::lora`]), each run adds `alpha / r · (x·Aᵀ)·Bᵀ` of its own;
//!    no ΔW is ever made.
//! 3. [`train::head`] takes only the positions whose next token counts, computes their cross
//!    entropy in chunks, and at once the gradient below the head, so that [tokens, vocabulary]
//!    never exists whole.
//! 4. [`train::gradients`] sends that gradient back through burn's autodiff to the factors. The
//!    base's weights are constants: they have no gradients.
//! 5. [`optim`] clips each run by its global norm, **preconditions**, G_A ← (BᵀB + δI)⁻¹ G_A and
//!    G_B ← G_B (AAᵀ + δI)⁻¹, with the r×r matrices of all layers and runs inverted in one batch,
//!    and updates by AdamW, SGD or Muon. Every hyper-parameter is a tensor [K, 1, 1]; a plain run gets
//!    the identity in place of its inverse, so that methods differ in numbers and not in code.
//! 6. [`train::session`] reads losses and gradient norms back, once, and marks runs that diverged.
//!
//! # Around it
//!
//! [`kernel`] computes, on either engine, what a step spends its time on: products, those with weights that stay packed
//! among them, and what lies between products. [`load`] finds tensors and tokenizers in GGUF or safetensors
//! bytes, and [`model::checkpoint`] makes a base of them, tensor by tensor; [`packed`] are the forms in which weights come. [`generate`] writes text
//! with all runs side by side. [`peft`] reads and writes adapters. [`engine`] is the device that a
//! build computes on: `cpu` or `webgpu`, one a build. [`pretrain`] trains all weights of a small Llama, and [`diffusion`] is
//! a text-to-image model with sessions and a pretraining of its own. [`theory`] needs none of all this. [`messages`] is
//! what the page and its workers say to each other, and `web`, in wasm builds, the only module that knows JavaScript.
//!
//! Dimensions in comments: K runs, B batch, T tokens, C channels, H heads, D head width,
//! V vocabulary, r rank, L layers, S = K·B sequences, N rows.

pub mod data;
pub mod diffusion;
pub mod engine;
pub mod generate;
pub mod kernel;
pub mod load;
pub mod messages;
pub mod model;
pub mod optim;
pub mod packed;
pub mod peft;
pub mod pretrain;
pub mod score;
mod tensor_file;
pub mod theory;
pub mod train;
#[cfg(target_arch = "wasm32")]
pub mod web;
