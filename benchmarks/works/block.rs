//! One block of a Llama as the product has it, with adapters on queries and values, which is what the page begins with.
//! The loss is the mean of squares of the residual stream after it.

use burn::tensor::{Device, Int, Tensor, TensorData};
use riemann_lora::model::{
    Architecture, Base, Body, Context, Llama, LlamaBlock, LlamaConfig, ModelConfig, Target,
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

/// A base without blocks, whose embeddings are the work's input, so that token t has row t.
pub fn base(config: ModelConfig, tokens: usize, device: &Device) -> Base {
    let Architecture::Llama(llama) = config.architecture.clone() else {
        unreachable!("all works are Llamas")
    };
    let channels = config.hidden_size;
    Base {
        body: Body::Llama(Llama {
            config: llama,
            embedding: input(tokens, channels, device).into(),
            blocks: Vec::new(),
            final_norm: Tensor::ones([channels], device),
        }),
        head: frozen(0, super::head::HEAD, [config.vocab_size, channels], device),
        device: device.clone(),
        config,
    }
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
            architecture: Architecture::Llama(LlamaConfig {
                num_attention_heads: shape.heads,
                num_key_value_heads: shape.key_heads,
                head_dim: shape.head_dim,
                rms_norm_eps: 1e-5,
                rope_theta: 100_000.0,
            }),
        };
        let shape_of = |target: Target| target.shape(&config).expect("a Llama has these layers");
        let trainer = Trainer::new(sizes, 1, &TARGETS, shape_of, device);
        let linears = Target::LLAMA.map(|target| {
            let (inputs, outputs) = shape_of(target);
            frozen(0, target as usize, [outputs, inputs], device)
        });
        let mut base = base(config, shape.tokens, device);
        if let Body::Llama(llama) = &mut base.body {
            llama.blocks.push(LlamaBlock {
                input_norm: Tensor::ones([shape.channels], device),
                post_attention_norm: Tensor::ones([shape.channels], device),
                linears,
            });
        }
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
