//! Clipping by the global norm, run by run.

use burn::tensor::Tensor;

use super::elements::sum_of_elements;

/// The L2 norm over all factors of each run.
///
/// # Shapes
/// - `first` and each of `others`: [K, ·, ·]
/// - result: [K, 1, 1]
pub fn global_norm<'a>(
    first: &Tensor<3>,
    others: impl IntoIterator<Item = &'a Tensor<3>>,
) -> Tensor<3> {
    let squares = |gradient: &Tensor<3>| sum_of_elements(gradient.clone().square());
    others
        .into_iter()
        .fold(squares(first), |sum, gradient| sum + squares(gradient))
        .sqrt()
}

/// The factor on each run's gradients: `max_norm / (norm + 1e-6)`, at most 1, as torch's
/// `clip_grad_norm_`.
///
/// # Shapes
/// - `norm`, `max_norm`: [K, 1, 1], result the same; infinity in `max_norm` does not clip
pub fn clip_factor(norm: Tensor<3>, max_norm: Tensor<3>) -> Tensor<3> {
    (max_norm / norm.add_scalar(1e-6)).clamp_max(1.0)
}
