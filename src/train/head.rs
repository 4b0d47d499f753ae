//! Cross entropy of the output head, in chunks of rows, with its gradient.
//!
//! The logits of all tokens would be the largest tensor of a step by far. Here only a chunk's exist
//! at a time, and autodiff keeps none of them: the gradient with respect to the rows is computed at
//! once, softmax(logits)·W − W[target], and handed to the graph below the head.

use burn::tensor::{Int, Tensor};

use crate::model::Base;

#[cfg(not(feature = "webgpu"))]
#[path = "head/chunk_on_cpu.rs"]
mod chunk;
#[cfg(feature = "webgpu")]
#[path = "head/chunk_on_gpu.rs"]
mod chunk;

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
        .map(|(rows, targets)| chunk::losses(model, rows, targets))
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
        .map(|(rows, targets)| chunk::losses_and_gradient(model, rows, targets))
        .unzip();
    (Tensor::cat(losses, 0), Tensor::cat(gradients, 0))
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
