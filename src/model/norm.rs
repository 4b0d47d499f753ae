//! Root mean square normalisation.

use burn::tensor::Tensor;

/// `x / √(mean(x²) + eps) · weight` over the last axis, as HF's `LlamaRMSNorm`.
///
/// # Shapes
/// - `x`: [N, C]
/// - `weight`: [C]
/// - result: [N, C]
pub fn rms_norm(x: Tensor<2>, weight: &Tensor<1>, eps: f64) -> Tensor<2> {
    let mean_square = x.clone().square().mean_dim(1); // [N, 1]
    let inverse = mean_square.add_scalar(eps).sqrt().recip();
    x * inverse * weight.clone().unsqueeze::<2>()
}
