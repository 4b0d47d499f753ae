//! The head on some rows, on the CPU: logits become their derivative where they lie.

use burn::tensor::{Int, Tensor, TensorData};

use crate::kernel::{Direction, cross_entropy::cross_entropy};
use crate::model::Base;

/// Cross entropy of each row in nats.
///
/// # Shapes
/// - `rows`: [n, C]
/// - `targets`: [n]
/// - result: [n]
pub fn losses(model: &Base, rows: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    Chunk::new(model, rows, targets).losses
}

/// Cross entropy of each row in nats, and its gradient with respect to the row.
///
/// # Shapes
/// - `rows`: [n, C]
/// - `targets`: [n]
/// - result: [n] and [n, C]
pub fn losses_and_gradient(
    model: &Base,
    rows: Tensor<2>,
    targets: Tensor<1, Int>,
) -> (Tensor<1>, Tensor<2>) {
    let Chunk { losses, derivative } = Chunk::new(model, rows, targets);
    (losses, model.head.product(derivative, Direction::Backward))
}

struct Chunk {
    losses: Tensor<1>,     // [n]
    derivative: Tensor<2>, // [n, V], of the losses with respect to the logits
}

impl Chunk {
    fn new(model: &Base, rows: Tensor<2>, targets: Tensor<1, Int>) -> Self {
        let device = rows.device();
        let logits = model.head.product(rows, Direction::Forward); // [n, V]
        let shape = logits.dims();
        // The CPU's tensors are at hand: reading them back waits for nothing.
        let mut logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
        let targets = targets.into_data();
        let targets: Vec<usize> = targets.iter::<i64>().map(|id| id as usize).collect();
        let losses = cross_entropy(&mut logits, &targets);
        Self {
            losses: Tensor::from_data(TensorData::new(losses, [targets.len()]), &device),
            derivative: Tensor::from_data(TensorData::new(logits, shape), &device),
        }
    }
}
