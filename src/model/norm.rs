//! Normalisation over channels.

use burn::tensor::Tensor;

use super::walk::Kind;
use crate::kernel::rms_norm;

/// Frozen weights of HF's `LlamaRMSNorm`, or with a bias of torch's `LayerNorm`.
#[derive(Debug, Clone)]
pub struct NormWeights {
    /// [C].
    pub weight: Tensor<1>,
    /// [C].
    pub bias: Option<Tensor<1>>,
}

impl NormWeights {
    /// Takes one of the two vectors; the weight comes before its bias.
    pub(super) fn put(norm: &mut Option<Self>, kind: Kind, vector: Tensor<1>) {
        match (norm, kind) {
            (norm, Kind::Weight) => {
                *norm = Some(Self {
                    weight: vector,
                    bias: None,
                });
            }
            (Some(norm), Kind::Bias) => norm.bias = Some(vector),
            (None, Kind::Bias) => {}
        }
    }

    /// One of the two vectors.
    pub(super) fn get(&self, kind: Kind) -> Option<Tensor<1>> {
        match kind {
            Kind::Weight => Some(self.weight.clone()),
            Kind::Bias => self.bias.clone(),
        }
    }

    /// `x / √(mean(x²) + eps) · weight` over the last axis; with a bias `(x - mean(x)) / √(var(x) + eps) · weight + bias`
    /// (Ba et al. 2016), the variance without Bessel's correction, as torch's.
    ///
    /// # Shapes
    /// - `x`: [N, C], result the same
    pub fn apply(&self, x: Tensor<2>, eps: f64) -> Tensor<2> {
        let Some(bias) = &self.bias else {
            return rms_norm(x, self.weight.clone(), eps);
        };
        let centred = x.clone() - x.mean_dim(1); // [N, C]
        rms_norm(centred, self.weight.clone(), eps) + bias.clone().unsqueeze::<2>()
    }
}
