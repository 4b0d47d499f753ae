//! Normalisation over channels.

use burn::tensor::Tensor;

/// `x / √(mean(x²) + eps) · weight` over the last axis, as HF's `LlamaRMSNorm`.
///
/// # Shapes
/// - `x`: [N, C]
/// - `weight`: [C]
/// - result: [N, C]
pub fn rms_norm(x: Tensor<2>, weight: &Tensor<1>, eps: f64) -> Tensor<2> {
    crate::kernel::rms_norm(x, weight.clone(), eps)
}

/// Frozen weights of torch's `LayerNorm`.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    /// [C].
    pub weight: Tensor<1>,
    /// [C].
    pub bias: Tensor<1>,
}

impl LayerNorm {
    /// `(x - mean(x)) / √(var(x) + eps) · weight + bias` over the last axis (Ba et al. 2016), the
    /// variance without Bessel's correction, as torch's.
    ///
    /// # Shapes
    /// - `x`: [N, C], result the same
    pub fn apply(&self, x: Tensor<2>, eps: f64) -> Tensor<2> {
        let centred = x.clone() - x.mean_dim(1); // [N, C]
        rms_norm(centred, &self.weight, eps) + self.bias.clone().unsqueeze::<2>()
    }
}
