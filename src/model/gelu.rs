//! GPT-2's activation.

use burn::tensor::{Tensor, activation::sigmoid};

/// `x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))`, HF's `gelu_new` (Hendrycks and Gimpel 2016).
///
/// Written as `x · σ(2u)`, because (1 + tanh u) / 2 is σ(2u): fewer operations, and no power of a
/// negative number, which WebGPU's `pow` does not have.
///
/// # Shapes
/// - `x`: [N, inner], result the same
pub fn gelu(x: Tensor<2>) -> Tensor<2> {
    let twice = 2.0 * (2.0 / std::f64::consts::PI).sqrt();
    let slope = x
        .clone()
        .square()
        .mul_scalar(twice * 0.044715)
        .add_scalar(twice);
    x.clone() * sigmoid(x * slope)
}
