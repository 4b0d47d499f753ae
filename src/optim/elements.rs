//! Sums over all elements of each run's tensors.

use burn::tensor::Tensor;

/// Elements that are summed in one go.
const LONGEST_SUM: usize = 2048;

/// Sum of each matrix's elements.
///
/// # Shapes
/// - `matrices`: [N, ·, ·]
/// - result: [N, 1, 1]
pub fn sum_of_elements(matrices: Tensor<3>) -> Tensor<3> {
    let [count, rows, columns] = matrices.dims();
    let elements = rows * columns;
    if elements <= LONGEST_SUM {
        return matrices.reshape([count, 1, elements]).sum_dim(2);
    }
    // Sums of sums: more exact in f32 than one long sum, and on a GPU not the work of one thread group.
    let divides = |length: &usize| elements.is_multiple_of(*length);
    let length = (1..=LONGEST_SUM).rev().find(divides).unwrap_or(1);
    let parts = matrices.reshape([count, elements / length, length]);
    parts.sum_dim(2).sum_dim(1)
}
