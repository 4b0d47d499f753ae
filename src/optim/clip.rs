//! Clipping by the global norm, run by run.

use burn::tensor::Tensor;

use super::square::sum;

/// The L2 norm over all factors of each run.
///
/// # Shapes
/// - each of `gradients`: [K, ·, ·]
/// - result: [K, 1, 1]
pub fn global_norm<'a>(gradients: impl Iterator<Item = &'a Tensor<3>>) -> Option<Tensor<3>> {
    gradients
        .map(|gradient| sum(gradient.clone().square()))
        .reduce(|sum, squares| sum + squares)
        .map(Tensor::sqrt)
}

/// The factor on each run's gradients: `max_norm / (norm + 1e-6)`, at most 1, as torch's
/// `clip_grad_norm_`.
///
/// # Shapes
/// - `norm`, `max_norm`: [K, 1, 1], result the same; infinity in `max_norm` does not clip
pub fn clip_factor(norm: Tensor<3>, max_norm: Tensor<3>) -> Tensor<3> {
    (max_norm / norm.add_scalar(1e-6)).clamp_max(1.0)
}
