//! Cross entropy of the output head, in chunks of rows, with its gradient.
//!
//! The logits of all tokens would be the largest tensor of a step by far. Here only a chunk's exist
//! at a time, and autodiff keeps none of them: the gradient with respect to the rows is computed at
//! once, (softmax(logits) − one at the target)·W, and handed to the graph below the head.

use burn::tensor::{Int, Tensor};

use super::labels::CountedLabels;
use crate::kernel::{Direction, ProductPrecision, cross_entropy, cross_entropy_losses};
use crate::model::Base;

/// Rows of a chunk for a step of `tokens` tokens in all: at most 1/8 of [tokens, V] is alive, and the logits of a chunk, for
/// which there is room for a power of two of rows, fit in `most_bytes`.
pub fn chunk_rows(tokens: usize, vocab_size: usize, most_bytes: Option<usize>) -> usize {
    let rows = tokens.div_ceil(8).clamp(1, 256);
    let Some(bytes) = most_bytes else {
        return rows;
    };
    let fitting = bytes / (vocab_size * size_of::<f32>());
    rows.min(fitting.checked_ilog2().map_or(1, |bits| 1 << bits))
}

/// The rows of the residual stream that are asked for their next token, and those tokens.
#[derive(Debug)]
pub struct AskedRows {
    /// Normalised, those of run 0 first, [K·n, C].
    pub rows: Tensor<2>,
    /// The tokens that follow, [K·n].
    pub targets: Tensor<1, Int>,
    /// Labels of one run, n.
    pub count: usize,
    chunk: usize,
}

impl AskedRows {
    /// Those of a whole residual stream.
    ///
    /// # Shapes
    /// - `hidden`: [K·N, C]
    pub fn new(model: &Base, hidden: Tensor<2>, labels: CountedLabels) -> Self {
        Self {
            chunk: chunk_rows(hidden.dims()[0], model.config.vocab_size, model.most_bytes),
            rows: model.normalise(hidden.select(0, labels.rows)),
            targets: labels.targets,
            count: labels.count,
        }
    }

    /// As [`losses`].
    pub fn losses(&self, model: &Base) -> Tensor<1> {
        losses(model, &self.rows, &self.targets, self.chunk)
    }

    /// As [`losses_and_gradient`].
    pub fn losses_and_gradient(
        &self,
        model: &Base,
        precision: ProductPrecision,
    ) -> (Tensor<1>, Tensor<2>) {
        let rows = self.rows.clone().inner();
        losses_and_gradient(model, &rows, &self.targets, self.chunk, precision)
    }
}

/// Cross entropy of each row, in nats, where nobody asks for a gradient.
///
/// # Shapes
/// - `rows`: [N, C], normalised, outside autodiff
/// - `targets`: [N]
/// - result: [N]
pub fn losses(model: &Base, rows: &Tensor<2>, targets: &Tensor<1, Int>, chunk: usize) -> Tensor<1> {
    let head = model.head.opened();
    let softcap = model.config.logits_softcap;
    let parts = chunks(rows, targets, chunk)
        .map(|(rows, targets)| {
            let logits = head.product(rows, Direction::Forward, ProductPrecision::Single);
            let logits = match softcap {
                Some(bound) => bent(logits, bound).mul_scalar(bound),
                None => logits,
            };
            cross_entropy_losses(logits, targets)
        })
        .collect();
    Tensor::cat(parts, 0)
}

/// Cross entropy of each row and its gradient with respect to the row. `precision` is that of the logits.
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
    precision: ProductPrecision,
) -> (Tensor<1>, Tensor<2>) {
    let head = model.head.opened();
    let softcap = model.config.logits_softcap;
    let (losses, gradients) = chunks(rows, targets, chunk)
        .map(|(rows, targets)| {
            let logits = head.product(rows, Direction::Forward, precision);
            let (losses, derivative) = losses_and_derivative(logits, softcap, targets);
            let back = Direction::Backward;
            (
                losses,
                head.product(derivative, back, ProductPrecision::Single),
            )
        })
        .unzip();
    (Tensor::cat(losses, 0), Tensor::cat(gradients, 0))
}

/// Cross entropy of each row of a chunk and its derivative with respect to the logits before they are bent.
fn losses_and_derivative(
    logits: Tensor<2>,
    softcap: Option<f64>,
    targets: Tensor<1, Int>,
) -> (Tensor<1>, Tensor<2>) {
    let Some(bound) = softcap else {
        return cross_entropy(logits, targets);
    };
    let bent = bent(logits, bound);
    let (losses, derivative) = cross_entropy(bent.clone().mul_scalar(bound), targets);
    // c · tanh(s / c) has the derivative 1 − tanh²(s / c).
    let slope = bent.square().neg().add_scalar(1.0);
    (losses, derivative * slope)
}

/// tanh(s / c) of logits s that are bent to stay within `bound` c.
fn bent(logits: Tensor<2>, bound: f64) -> Tensor<2> {
    logits.div_scalar(bound).tanh()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logits_of_a_chunk_fit() {
        let rows = |most_bytes| chunk_rows(4096, 151_936, most_bytes);
        assert_eq!(rows(None), 256);
        // 220 rows of logits are 128 MiB, and there is room for 128 or 256.
        assert_eq!(rows(Some(128 << 20)), 128);
        assert_eq!(rows(Some(1 << 30)), 256);
        assert_eq!(rows(Some(1)), 1);
    }
}
