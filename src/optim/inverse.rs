//! Inverses of many small symmetric positive definite matrices at once.

use burn::tensor::Tensor;

use super::square::identity;

/// The inverse of every matrix of a batch, exact to the precision of its elements.
///
/// The matrices are scaled to a unit diagonal, which costs nothing in accuracy and removes bad
/// conditioning that is due to scale alone (van der Sluis 1969), and then swept pivot by pivot
/// (the sweep operator, Goodnight 1979). A sweep of a positive definite matrix needs no pivoting:
/// every pivot is the Schur complement of the ones before and positive. r sweeps of one rank-one
/// update each, whatever the condition number: nothing iterates to convergence and nothing is read
/// back from the device.
///
/// # Shapes
/// - `matrices`: [N, r, r], result the same
pub fn inverse(matrices: Tensor<3>) -> Tensor<3> {
    #[cfg(feature = "webgpu")]
    if let Some(inverses) = crate::kernel::webgpu::inverse(&matrices) {
        return inverses;
    }
    by_operations(matrices)
}

/// As [`inverse`], in operations of burn: 2·r launches on a GPU, so only where there is no kernel of our own.
pub fn by_operations(matrices: Tensor<3>) -> Tensor<3> {
    let [count, rank, _] = matrices.dims();
    let device = matrices.device();
    let basis = identity(rank, &device); // [1, r, r]

    let diagonal = (matrices.clone() * basis.clone()).sum_dim(2); // [N, r, 1]
    let scale = diagonal.sqrt().recip();
    let scales = scale.clone() * scale.swap_dims(1, 2); // [N, r, r]
    let mut swept = matrices * scales.clone();
    for pivot in 0..rank {
        let column = swept.clone().narrow(2, pivot, 1); // [N, r, 1]
        let value = column.clone().narrow(1, pivot, 1); // [N, 1, 1]
        let unit = basis.clone().narrow(2, pivot, 1); // [1, r, 1]
        // With the pivot's own entry less 1, one rank-one update makes the whole sweep, but for
        // 2 on the diagonal that is taken off at the end.
        let column = column - unit;
        let row = column.clone().swap_dims(1, 2) / value; // [N, 1, r]
        swept = swept - column.expand([count, rank, rank]) * row.expand([count, rank, rank]);
    }
    (basis.mul_scalar(2.0) - swept) * scales
}
