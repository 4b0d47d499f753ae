//! What `head` is measured against: the same loss from the logits of all positions at once, with burn's own softmax and
//! autodiff, as a training loop has it that takes no care. Only the first half of the positions counts, as a completion's.

use burn::tensor::{Device, Int, Tensor, TensorData, activation::log_softmax};
use riemann_lora::kernel::ProductPrecision;
use riemann_lora::model::{FrozenWeight, Target, lora::linear};

use super::head::{HEAD, Shape, TOKENS_A_ROW};
use super::numbers::{Kind, below, stream};
use super::size::Sizes;
use super::trainer::{Trainer, frozen, input};

/// The work.
pub struct WholeHead {
    head: FrozenWeight,
    weight: FrozenWeight,
    input: Tensor<2>,
    /// Of the positions that count, [rows, 1].
    targets: Tensor<2, Int>,
    trainer: Trainer,
}

impl WholeHead {
    /// Weights and adapter of `shape`.
    pub fn new(sizes: &Sizes, shape: Shape, device: &Device) -> Self {
        let Shape {
            channels,
            vocabulary,
            rows,
        } = shape;
        let words = below(stream(Kind::Target, 0, 0), rows, vocabulary as u32);
        Self {
            head: frozen(0, HEAD, [vocabulary, channels], device),
            weight: frozen(0, Target::QProj as usize, [channels, channels], device),
            input: input(TOKENS_A_ROW * rows, channels, device),
            targets: Tensor::from_data(TensorData::new(words, [rows, 1]), device),
            trainer: Trainer::new(sizes, 1, &[Target::QProj], |_| (channels, channels), device),
        }
    }

    /// One step; its loss.
    pub async fn step(&mut self) -> f64 {
        let adapters = self.trainer.adapters.tracked();
        let adapter = adapters.input(0, Target::QProj);
        let x = self.input.clone();
        let positions = x.clone() + linear(x, &self.weight, adapter, ProductPrecision::Single); // [T, C]
        let logits = linear(positions, &self.head, None, ProductPrecision::Single); // [T, V]
        let [rows, _] = self.targets.dims();
        let loss = log_softmax(logits, 1)
            .narrow(0, 0, rows)
            .gather(1, self.targets.clone())
            .mean()
            .neg();
        self.trainer.step(&adapters, loss).await
    }
}
