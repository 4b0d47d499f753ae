//! Cross entropy of the output head, in chunks of rows, with its gradient.
//!
//! The logits of all tokens would be the largest tensor of a step by far. Here only a chunk's exist
//! at a time, and autodiff keeps none of them: the gradient with respect to the rows is computed at
//! once, (softmax(logits) − one at the target)·W, and handed to the graph below the head.

use burn::tensor::{Int, Tensor};

use crate::kernel::{Direction, cross_entropy};
use crate::model::{Base, FrozenWeight};

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
    let head = model.head.opened();
    let softcap = model.config.logits_softcap;
    let parts = chunks(rows, targets, chunk)
        .map(|(rows, targets)| losses_and_derivative(&head, softcap, rows, targets).0)
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
    let head = model.head.opened();
    let softcap = model.config.logits_softcap;
    let (losses, gradients) = chunks(rows, targets, chunk)
        .map(|(rows, targets)| {
            let (losses, derivative) = losses_and_derivative(&head, softcap, rows, targets);
            (losses, head.product(derivative, Direction::Backward))
        })
        .unzip();
    (Tensor::cat(losses, 0), Tensor::cat(gradients, 0))
}

/// Cross entropy of each row of a chunk and its derivative with respect to the logits.
fn losses_and_derivative(
    head: &FrozenWeight,
    softcap: Option<f64>,
    rows: Tensor<2>,
    targets: Tensor<1, Int>,
) -> (Tensor<1>, Tensor<2>) {
    let logits = head.product(rows, Direction::Forward);
    let Some(bound) = softcap else {
        return cross_entropy(logits, targets);
    };
    let bent = logits.div_scalar(bound).tanh();
    let (losses, derivative) = cross_entropy(bent.clone().mul_scalar(bound), targets);
    // c · tanh(s / c) has the derivative 1 − tanh²(s / c).
    let slope = bent.square().neg().add_scalar(1.0);
    (losses, derivative * slope)
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
