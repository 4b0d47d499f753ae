//! AdamW (Loshchilov and Hutter, arXiv 1711.05101), as torch computes it.

use burn::tensor::Tensor;

use super::{coefficients::FactorCoefficients, moments::Moments};

/// `m̂ / (√v̂ + eps)`, both moments corrected for their start at zero.
///
/// # Shapes
/// - the moments: [K, ·, ·], result the same
/// - `eps`: [K, 1, 1]
pub fn direction(moments: &Moments, factor: &FactorCoefficients, eps: &Tensor<3>) -> Tensor<3> {
    let mean = moments.first.clone() * factor.correction1.clone();
    let root = (moments.second.clone() * factor.correction2.clone()).sqrt();
    mean / (root + eps.clone())
}
