//! The activation of Llama's feed-forward layer.

use burn::tensor::Tensor;

/// SwiGLU's `silu(gate) · up`, elementwise (Shazeer 2020, arXiv 2002.05202, equation 6).
///
/// # Shapes
/// - `gate`, `up`: [N, inner], result the same
pub fn swiglu(gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
    #[cfg(not(feature = "webgpu"))]
    return crate::kernel::swiglu(gate, up);
    #[cfg(feature = "webgpu")]
    return burn::tensor::activation::silu(gate) * up;
}
