//! The head on some rows, in operations of burn.

use burn::tensor::{Int, Tensor};

use crate::kernel::Direction;
use crate::model::Base;

/// Cross entropy of each row in nats.
///
/// # Shapes
/// - `rows`: [n, C]
/// - `targets`: [n]
/// - result: [n]
pub fn losses(model: &Base, rows: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    Chunk::new(model, rows, &targets).losses
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
    let chunk = Chunk::new(model, rows, &targets);
    let likely = chunk.exponentials / chunk.sums; // [n, V]
    let expected = model.head.product(likely, Direction::Backward); // [n, C]
    (chunk.losses, expected - model.head.select(targets))
}

struct Chunk {
    losses: Tensor<1>,       // [n]
    exponentials: Tensor<2>, // [n, V], of logits less the row's largest
    sums: Tensor<2>,         // [n, 1]
}

impl Chunk {
    fn new(model: &Base, rows: Tensor<2>, targets: &Tensor<1, Int>) -> Self {
        let logits = model.head.product(rows, Direction::Forward); // [n, V]
        let largest = logits.clone().max_dim(1); // [n, 1]
        let shifted = logits - largest;
        let wanted = shifted
            .clone()
            .gather(1, targets.clone().unsqueeze_dim::<2>(1)); // [n, 1]
        let exponentials = shifted.exp();
        let sums = exponentials.clone().sum_dim(1); // [n, 1]
        Self {
            losses: (sums.clone().log() - wanted).squeeze_dim(1),
            exponentials,
            sums,
        }
    }
}
