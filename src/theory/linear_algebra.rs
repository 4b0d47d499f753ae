//! The few matrix functions that the experiments share.

use nalgebra::{Cholesky, DMatrix, Dyn};

use super::random::Random;

/// `count` singular values with equal ratios, from 1 down to 1 / condition.
pub fn geometric(count: usize, condition: f64) -> Vec<f64> {
    let last = count.saturating_sub(1).max(1) as f64;
    (0..count)
        .map(|index| libm::pow(condition, -(index as f64) / last))
        .collect()
}

/// A random matrix [rows, columns] with `rank` singular values from 1 down to 1 / condition.
pub fn with_condition(
    rows: usize,
    columns: usize,
    rank: usize,
    condition: f64,
    random: &mut Random,
) -> DMatrix<f64> {
    let mut left = random.orthonormal(rows, rank);
    for (mut column, value) in left.column_iter_mut().zip(geometric(rank, condition)) {
        column *= value;
    }
    left * random.orthonormal(columns, rank).transpose()
}

/// Singular values, largest first.
pub fn singular_values(matrix: &DMatrix<f64>) -> Vec<f64> {
    let mut values: Vec<f64> = matrix.singular_values().iter().copied().collect();
    values.sort_by(|one, other| other.total_cmp(one));
    values
}

/// ln det of a symmetric positive definite matrix plus `damping` on its diagonal; NaN where it is none, because factors
/// have overflowed.
pub fn damped_log_determinant(matrix: DMatrix<f64>, damping: f64) -> f64 {
    damped_factor(matrix, damping).map_or(f64::NAN, |factor| {
        let pivots = factor.l_dirty().diagonal();
        2.0 * pivots.iter().map(|pivot| libm::log(*pivot)).sum::<f64>()
    })
}

/// Inverse of a symmetric positive definite matrix plus `damping` on its diagonal; `None` where it
/// has none, because factors have overflowed.
pub fn damped_inverse(matrix: DMatrix<f64>, damping: f64) -> Option<DMatrix<f64>> {
    damped_factor(matrix, damping).map(|factor| factor.inverse())
}

fn damped_factor(mut matrix: DMatrix<f64>, damping: f64) -> Option<Cholesky<f64, Dyn>> {
    for index in 0..matrix.nrows() {
        matrix[(index, index)] += damping;
    }
    // The factorisation reads one triangle, and would not see what is wrong in the other.
    let finite = matrix.iter().all(|value| value.is_finite());
    finite.then(|| Cholesky::new(matrix)).flatten()
}
