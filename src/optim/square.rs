//! Batches of small square matrices.

use burn::tensor::{Device, Tensor, TensorData};

use super::elements::sum_of_elements;

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
    sum_of_elements(matrices.clone() * identity(rank, &matrices.device()))
}
