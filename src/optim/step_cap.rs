//! Steps that are no longer than a share of what they move.

use burn::tensor::Tensor;

use super::{BankLayout, Factor};

/// Keeps 0 / 0 from being NaN where nothing moves.
const FLOOR: f64 = 1e-30;

/// `step`, shortened in each bank to the share `longest` of the norm of its matrix in `row`.
///
/// # Shapes
/// - `step`, `row`: [K, 1, P], result the same
/// - `longest`: [K, 1, 1]
pub fn capped(
    layout: &BankLayout,
    factor: Factor,
    step: &Tensor<3>,
    row: &Tensor<3>,
    longest: &Tensor<3>,
) -> Tensor<3> {
    let longest = longest.clone().unsqueeze_dim::<4>(1); // [K, 1, 1, 1]
    let groups = layout.groups(factor, step).into_iter();
    let groups = groups.zip(layout.groups(factor, row));
    let groups = groups.map(|(step, matrix)| {
        let norm = |of: Tensor<4>| of.square().sum_dim(3).sum_dim(2).sqrt(); // [K, m, 1, 1]
        let allowed = norm(matrix) * longest.clone();
        let share = allowed / norm(step.clone()).clamp_min(FLOOR);
        step * share.clamp_max(1.0)
    });
    BankLayout::row(groups.collect())
}
