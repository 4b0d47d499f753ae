//! Operations of our own: what a training step spends its time on.
//!
//! # Products on the CPU
//! `x · Wᵀ` on the way forward and `g · W` on the way back read the same [`Matrix`], which stays packed as its file has
//! it: each part is unpacked where it is needed, once for all rows of activations ([`blocked`]). They are computed
//! tile by tile ([`tile`]): four rows of activations, read where they lie, against a panel of eight columns. The tile is
//! shaped for the sixteen registers that a WebAssembly engine has on x86: eight sums, two vectors of the panel, one
//! activation in all lanes. burn's engine takes twelve sums a tile, which do not fit.
//!
//! [`frozen`] makes an operation of burn of it, with a derivative for the activations and none for the weight.
//!
//! # What lies between products
//! [`attention`](fn@attention), [`rms_norm`], [`rotate`], [`gated`] and [`cross_entropy`](fn@cross_entropy) are one pass over memory
//! each, forward and backward, where burn's operations are several, and keep less for the backward pass. What they are and
//! their derivatives stand in files of their names; `cpu` and `webgpu` compute them. [`exponential`] is what the last three
//! wait for on the CPU.
//!
//! # WebGPU
//! `webgpu` also holds kernels for what would be many launches of burn's operations.

mod attention;
pub mod blocked;
mod cross_entropy;
mod direction;
mod documents;
pub mod exponential;
pub mod few_rows;
pub mod matrix;
mod sums;
pub mod tile;
mod transpose;

pub use direction::Direction;
pub use documents::Documents;
pub use matrix::Matrix;

#[cfg(not(feature = "webgpu"))]
mod cpu;
#[cfg(not(feature = "webgpu"))]
pub mod frozen;
mod gated;
mod most_bytes;
mod precision;
mod product;
mod product_table;
mod rms_norm;
mod rotate;
mod strip;
#[cfg(feature = "webgpu")]
pub mod webgpu;

pub use {
    attention::{Mask, Scores, attention},
    cross_entropy::{cross_entropy, cross_entropy_losses},
    gated::{Gating, gated},
    most_bytes::most_bytes,
    precision::{ProductPrecision, half_is_available},
    product::{Form, product, weight_product},
    product_table::{ProductChoice, ProductKind, ProductStrategy, ProductTable},
    rms_norm::rms_norm,
    rotate::{Angles, rotate},
};
