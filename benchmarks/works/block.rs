//! One block of a Llama as the product has it, with adapters on queries and values, which is what the page begins with.
//! The loss is the mean of squares of the residual stream after it.

use burn::tensor::{Device, Int, Tensor, TensorData};
use riemann_lora::model::{
    Base, Context, Held, ModelConfig, Rotary, Target,
    architecture::{LLAMA, Place, Projection},
    walk::{self, Role},
};
use serde::Deserialize;

use super::size::Sizes;
use super::trainer::{Trainer, frozen, input};

/// Its shape.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Shape {
    /// Width of the residual stream.
    pub channels: usize,
    /// Width of the feed-forward layer.
    pub inner: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values.
    pub key_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Length of the one sequence.
    pub tokens: usize,
}

const TARGETS: [Target; 2] = [Target::QProj, Target::VProj];

/// The work.
pub struct Block {
    base: Base,
    ids: Tensor<2, Int>,
    trainer: Trainer,
}

/// A base whose embeddings are the work's input, so that token t has row t.
pub fn base(config: ModelConfig, tokens: usize, device: &Device) -> Base {
    let channels = config.hidden_size;
    let weights: Vec<Held> = walk::weights(&config)
        .map(|weight| match (weight.role, &weight.shape[..]) {
            (Role::Embedding, _) => Held::Matrix(input(tokens, channels, device).into()),
            (Role::Head, &[rows, columns]) => {
                let head = super::head::HEAD;
                Held::Matrix(frozen(0, head, [rows, columns], device))
            }
            (Role::Block(layer, Place::Linear(projection), _), &[rows, columns]) => {
                let place = match projection {
                    Projection::Queries => Target::QProj,
                    Projection::Keys => Target::KProj,
                    Projection::Values => Target::VProj,
                    Projection::AttentionOutput => Target::OProj,
                    Projection::Gate => Target::GateProj,
                    Projection::Up => Target::UpProj,
                    _ => Target::DownProj,
                };
                Held::Matrix(frozen(layer, place as usize, [rows, columns], device))
            }
            (_, shape) => Held::Vector(Tensor::ones(shape.to_vec(), device)),
        })
        .collect();
    Base::assemble(config, device, weights).expect("all weights")
}

impl Block {
    /// Weights and adapters of `shape`.
    pub fn new(sizes: &Sizes, shape: Shape, device: &Device) -> Self {
        let config = ModelConfig {
            // The head is no part of this work.
            vocab_size: 1,
            hidden_size: shape.channels,
            intermediate_size: shape.inner,
            num_hidden_layers: 1,
            max_position_embeddings: shape.tokens,
            tie_word_embeddings: false,
            num_attention_heads: shape.heads,
            num_key_value_heads: shape.key_heads,
            head_dim: shape.head_dim,
            norm_eps: 1e-5,
            rotary: Some(Rotary::plain(100_000.0)),
            ..ModelConfig::of(&LLAMA)
        };
        let shape_of = |target: Target| target.shape(&config).expect("a Llama has these layers");
        let trainer = Trainer::new(sizes, 1, &TARGETS, shape_of, device);
        let base = base(config, shape.tokens, device);
        let ids: Vec<i32> = (0..shape.tokens as i32).collect();
        Self {
            ids: Tensor::from_data(TensorData::new(ids, [1, shape.tokens]), device),
            base,
            trainer,
        }
    }

    /// One step; its loss.
    pub async fn step(&mut self) -> f64 {
        let adapters = self.trainer.adapters.tracked();
        let context = Context {
            adapters: Some(&adapters),
            ..Context::default()
        };
        let x = self.base.forward(self.ids.clone(), context);
        let loss = (x.clone() * x).mean();
        self.trainer.step(&adapters, loss).await
    }
}
