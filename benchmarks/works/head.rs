//! The output head with cross entropy, in the product's chunks: x + linear(x), the head, the mean loss. The linear layer
//! is there for its adapter, which is what is trained.

use burn::tensor::{Device, Int, Tensor, TensorData};
use riemann_lora::{
    kernel::ProductPrecision,
    model::{Base, FrozenWeight, ModelConfig, Target, architecture::LLAMA, lora::linear},
    train::head::{chunk_rows, losses_and_gradient},
};
use serde::Deserialize;

use super::numbers::{Kind, below, stream};
use super::size::Sizes;
use super::trainer::{Trainer, frozen, input};

/// Its shape.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Shape {
    /// Width of a row.
    pub channels: usize,
    /// Words.
    pub vocabulary: usize,
    /// Positions whose next word counts.
    pub rows: usize,
}

/// Tokens of a step for each that counts in the loss: prompts do not.
pub const TOKENS_A_ROW: usize = 2;

/// Place of the head among the frozen weights.
pub const HEAD: usize = 15;

/// The work.
pub struct Head {
    base: Base,
    weight: FrozenWeight,
    input: Tensor<2>,
    targets: Tensor<1, Int>,
    chunk: usize,
    trainer: Trainer,
}

impl Head {
    /// Weights and adapter of `shape`.
    pub fn new(sizes: &Sizes, shape: Shape, device: &Device) -> Self {
        let Shape {
            channels,
            vocabulary,
            rows,
        } = shape;
        let config = ModelConfig {
            vocab_size: vocabulary,
            hidden_size: channels,
            intermediate_size: channels,
            num_hidden_layers: 0,
            max_position_embeddings: rows,
            tie_word_embeddings: false,
            norm_eps: 1e-5,
            ..ModelConfig::of(&LLAMA)
        };
        let words = below(stream(Kind::Target, 0, 0), rows, vocabulary as u32);
        Self {
            // It has no blocks, and of its embeddings nobody asks.
            base: super::block::base(config, 1, device),
            weight: frozen(0, Target::QProj as usize, [channels, channels], device),
            input: input(rows, channels, device),
            targets: Tensor::from_data(TensorData::new(words, [rows]), device),
            chunk: chunk_rows(TOKENS_A_ROW * rows, vocabulary, None),
            trainer: Trainer::new(sizes, 1, &[Target::QProj], |_| (channels, channels), device),
        }
    }

    /// One step; its loss.
    pub async fn step(&mut self) -> f64 {
        let adapters = self.trainer.adapters.tracked();
        let adapter = adapters.input(0, Target::QProj);
        let x = self.input.clone();
        let rows = x.clone() + linear(x, &self.weight, adapter, ProductPrecision::Single);
        let (losses, gradient) = losses_and_gradient(
            &self.base,
            &rows.clone().inner(),
            &self.targets,
            self.chunk,
            ProductPrecision::Single,
        );
        let count = losses.dims()[0] as f64;
        // As the product does: a sum with the gradient that is known.
        let surrogate = (rows * gradient.div_scalar(count)).sum();
        let gradients = {
            let mut gradients = surrogate.backward();
            adapters
                .banks()
                .map(|bank| riemann_lora::model::Bank {
                    a: bank.a.grad_remove(&mut gradients).expect("A is used"),
                    b: bank.b.grad_remove(&mut gradients).expect("B is used"),
                })
                .collect()
        };
        self.trainer.update(gradients, losses.mean()).await
    }
}
