//! Cross entropy of the output head, in chunks of rows, with its gradient.
//!
//! The logits of all tokens would be the largest tensor of a step by far. Here only a chunk's exist
//! at a time, and autodiff keeps none of them: the gradient with respect to the rows is computed at
//! once, softmax(logits)·W − W[target], and handed to the graph below the head.

use burn::tensor::{Int, Tensor};

use crate::kernel::Direction;
use crate::model::Base;

/// Rows of a chunk for a step of `tokens` tokens in all: at most 1/8 of [tokens, V] is alive.
pub fn chunk_rows(tokens: usize) -> usize {
    tokens.div_ceil(8).clamp(1, 256)
}

/// Cross entropy of each row, in nats.
///
/// # Shapes
/// - `rows`: [N, C], normalised
/// - `targets`: [N]
/// - result: [N]
pub fn losses(model: &Base, rows: &Tensor<2>, targets: &Tensor<1, Int>, chunk: usize) -> Tensor<1> {
    let parts = chunks(rows, targets, chunk)
        .map(|(rows, targets)| Chunk::new(model, rows, &targets).losses)
        .collect();
    Tensor::cat(parts, 0)
}

/// Cross entropy of each row and its gradient with respect to the row.
///
/// # Shapes
/// - `rows`: [N, C], normalised, outside autodiff
/// - `targets`: [N]
/// - result: [N] and [N, C]
pub fn losses_and_gradient(
    model: &Base,
    rows: &Tensor<2>,
    targets: &Tensor<1, Int>,
    chunk: usize,
) -> (Tensor<1>, Tensor<2>) {
    let (losses, gradients) = chunks(rows, targets, chunk)
        .map(|(rows, targets)| {
            let chunk = Chunk::new(model, rows, &targets);
            let likely = chunk.exponentials / chunk.sums; // [n, V]
            let expected = model.head.product(likely, Direction::Backward); // [n, C]
            let gradient = expected - model.head.select(targets);
            (chunk.losses, gradient)
        })
        .unzip();
    (Tensor::cat(losses, 0), Tensor::cat(gradients, 0))
}

/// What a chunk's loss and gradient share.
struct Chunk {
    losses: Tensor<1>,       // [n]
    exponentials: Tensor<2>, // [n, V], of logits less the row's largest
    sums: Tensor<2>,         // [n, 1]
}

impl Chunk {
    fn new(model: &Base, rows: Tensor<2>, targets: &Tensor<1, Int>) -> Self {
        let logits = model.logits(rows); // [n, V]
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

fn chunks<'a>(
    rows: &'a Tensor<2>,
    targets: &'a Tensor<1, Int>,
    chunk: usize,
) -> impl Iterator<Item = (Tensor<2>, Tensor<1, Int>)> + 'a {
    let count = rows.dims()[0];
    (0..count).step_by(chunk).map(move |start| {
        let length = chunk.min(count - start);
        (
            rows.clone().narrow(0, start, length),
            targets.clone().narrow(0, start, length),
        )
    })
}
