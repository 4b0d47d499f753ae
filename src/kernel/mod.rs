//! Products with frozen weights on the CPU, where a training step spends most of its time.
//!
//! `x · Wᵀ` on the way forward and `g · W` on the way back read the same [out, in] weight. Both are
//! computed tile by tile ([`tile`]): four rows of activations, read where they lie, against a panel
//! of eight columns, brought into order once for all rows ([`blocked`]). The tile is shaped for the
//! sixteen registers that a WebAssembly engine has on x86: eight sums, two vectors of the panel,
//! one activation in all lanes. burn's engine takes twelve sums a tile, which do not fit.
//!
//! [`frozen`] makes an operation of burn of it, with a derivative for the activations and none for
//! the weight. Natively burn's own product has AVX-512 and is used instead, as on WebGPU.

pub mod blocked;
mod direction;
#[cfg(not(feature = "webgpu"))]
pub mod frozen;
mod narrow;
pub mod tile;

pub use direction::Direction;
#[cfg(all(target_arch = "wasm32", not(feature = "webgpu")))]
pub use frozen::product;

/// `x · Wᵀ` or `x · W`, by the engine's own matrix product.
///
/// # Shapes
/// - `x`: [N, in] forward, [N, out] backward
/// - `weight`: [out, in], outside autodiff
/// - result: [N, out] forward, [N, in] backward
#[cfg(not(all(target_arch = "wasm32", not(feature = "webgpu"))))]
pub fn product(
    x: burn::tensor::Tensor<2>,
    weight: &burn::tensor::Tensor<2>,
    direction: Direction,
) -> burn::tensor::Tensor<2> {
    match direction {
        Direction::Forward => x.matmul(weight.clone().transpose()),
        Direction::Backward => x.matmul(weight.clone()),
    }
}
