//! Batches of small square matrices.

use burn::tensor::{Device, Tensor, TensorData};

/// Elements that are summed in one go.
const LONGEST_SUM: usize = 2048;

/// The identity matrix, [1, r, r].
pub fn identity(rank: usize, device: &Device) -> Tensor<3> {
    let mut values = vec![0.0_f32; rank * rank];
    values.iter_mut().step_by(rank + 1).for_each(|v| *v = 1.0);
    Tensor::from_data(TensorData::new(values, [1, rank, rank]), device)
}

/// Sum of each matrix's diagonal.
///
/// # Shapes
/// - `matrices`: [N, r, r]
/// - result: [N, 1, 1]
pub fn trace(matrices: &Tensor<3>) -> Tensor<3> {
    let rank = matrices.dims()[1];
    sum(matrices.clone() * identity(rank, &matrices.device()))
}

/// Sum of each matrix's elements.
///
/// # Shapes
/// - `matrices`: [N, ·, ·]
/// - result: [N, 1, 1]
pub fn sum(matrices: Tensor<3>) -> Tensor<3> {
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
