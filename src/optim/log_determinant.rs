//! Logarithms of the determinants of many small symmetric positive definite matrices at once.

use burn::tensor::Tensor;

/// ln det of every matrix of a batch: the sum of the logarithms of the pivots of Gaussian elimination, which are positive
/// without any pivoting (Golub and Van Loan, Matrix Computations, section 4.2). NaN where rounding made a matrix
/// indefinite.
///
/// # Shapes
/// - `matrices`: [N, r, r]
/// - result: [N, 1, 1]
pub fn log_determinant(matrices: Tensor<3>) -> Tensor<3> {
    #[cfg(feature = "webgpu")]
    if let Some(logarithms) = crate::kernel::webgpu::log_determinant(&matrices) {
        return logarithms;
    }
    by_operations(matrices)
}

/// As [`log_determinant`], in operations of burn.
fn by_operations(mut matrices: Tensor<3>) -> Tensor<3> {
    let [count, rank, _] = matrices.dims();
    let mut pivots = Vec::with_capacity(rank);
    for left in (0..rank).rev() {
        let column = matrices.clone().narrow(2, 0, 1); // [N, left + 1, 1]
        let pivot = column.clone().narrow(1, 0, 1); // [N, 1, 1]
        pivots.push(pivot.clone());
        if left == 0 {
            break;
        }
        let column = column.narrow(1, 1, left); // [N, left, 1]
        let row = column.clone().swap_dims(1, 2) / pivot;
        let product = column.expand([count, left, left]) * row.expand([count, left, left]);
        matrices = matrices.narrow(1, 1, left).narrow(2, 1, left) - product;
    }
    Tensor::cat(pivots, 1).log().sum_dim(1)
}
