//! Products with frozen weights on the CPU, where a training step spends most of its time.
//!
//! `x · Wᵀ` on the way forward and `g · W` on the way back read the same [`Matrix`], which stays packed as its file has
//! it: each part is unpacked where it is needed, once for all rows of activations ([`blocked`]). They are computed
//! tile by tile ([`tile`]): four rows of activations, read where they lie, against a panel of eight columns. The tile is
//! shaped for the sixteen registers that a WebAssembly engine has on x86: eight sums, two vectors of the panel, one
//! activation in all lanes. burn's engine takes twelve sums a tile, which do not fit.
//!
//! [`frozen`] makes an operation of burn of it, with a derivative for the activations and none for the weight.

pub mod blocked;
mod direction;
#[cfg(not(feature = "webgpu"))]
pub mod frozen;
pub mod matrix;
mod narrow;
pub mod tile;

pub use direction::Direction;
pub use matrix::Matrix;
