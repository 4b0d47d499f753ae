//! The frozen model, of either architecture.

use std::collections::BTreeSet;

use burn::tensor::{Device, Int, Tensor};

use super::{
    Context, FrozenWeight, Gpt2, Gpt2Block, Llama, ModelConfig, gpt2::Gpt2Passage,
    llama::LlamaPassage,
};

/// A frozen base model.
#[derive(Debug, Clone)]
pub struct Base {
    /// Its shape.
    pub config: ModelConfig,
    /// Where its weights are.
    pub device: Device,
    /// What lies below the head.
    pub body: Body,
    /// Output head, [V, C]; the embedding table where it is tied.
    pub head: FrozenWeight,
}

/// The weights below the head, and how they compute.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one of them a worker")]
pub enum Body {
    /// A Llama.
    Llama(Llama),
    /// A GPT-2.
    Gpt2(Gpt2),
}

/// What all blocks of one forward pass share.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one of them a forward pass"
)]
pub enum Passage {
    /// Of a Llama.
    Llama(LlamaPassage),
    /// Of a GPT-2.
    Gpt2(Gpt2Passage),
}

/// A sequence longer than a base can read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "a sequence has {tokens} tokens, and this model reads {limit}; choose a sequence length of {limit} or fewer"
)]
pub struct TooLong {
    /// Its length, with what is cached.
    pub tokens: usize,
    /// The base's context.
    pub limit: usize,
}

impl Base {
    /// Checks that a sequence of `tokens` tokens, with what is cached, fits into the context.
    ///
    /// # Errors
    /// A sequence that does not.
    pub fn check_length(&self, tokens: usize) -> Result<(), TooLong> {
        let limit = self.config.max_position_embeddings;
        match tokens <= limit {
            true => Ok(()),
            false => Err(TooLong { tokens, limit }),
        }
    }

    /// The residual stream after the last block, before the final norm.
    ///
    /// # Shapes
    /// - `ids`: [S, T]; with adapters of K runs S = K·B, the sequences of run 0 first
    /// - result: [S·T, C]
    ///
    /// # Panics
    /// With a GPT-2 where [`Base::check_length`] is an error: it has no such positions.
    pub fn forward(&self, ids: Tensor<2, Int>, mut context: Context<'_>) -> Tensor<2> {
        let tokens = ids.dims()[1];
        let (mut x, passage) = self.enter(ids, context.past());
        for layer in 0..self.config.num_hidden_layers {
            x = self.block(layer, x, &passage, &mut context);
        }
        if let Some(cache) = context.cache {
            cache.tokens += tokens;
        }
        x
    }

    /// The residual stream before the first block, and what its way through the blocks needs; `past` tokens of each
    /// sequence came before these.
    ///
    /// # Shapes
    /// - `ids`: [S, T]
    /// - result: [S·T, C]
    pub fn enter(&self, ids: Tensor<2, Int>, past: usize) -> (Tensor<2>, Passage) {
        match &self.body {
            Body::Llama(llama) => {
                let (x, passage) = llama.enter(ids, past);
                (x, Passage::Llama(passage))
            }
            Body::Gpt2(gpt2) => {
                let (x, passage) = gpt2.enter(ids, past);
                (x, Passage::Gpt2(passage))
            }
        }
    }

    /// The residual stream after block `layer`.
    ///
    /// # Shapes
    /// - `x`: [S·T, C], result the same
    ///
    /// # Panics
    /// If the passage is another architecture's, or there is no such block.
    pub fn block(
        &self,
        layer: usize,
        x: Tensor<2>,
        passage: &Passage,
        context: &mut Context<'_>,
    ) -> Tensor<2> {
        match (&self.body, passage) {
            (Body::Llama(llama), Passage::Llama(passage)) => {
                llama.block(layer, x, passage, context)
            }
            (Body::Gpt2(gpt2), Passage::Gpt2(passage)) => gpt2.block(layer, x, passage, context),
            _ => unreachable!("a passage begins with `enter` of the same base"),
        }
    }

    /// The normalised rows that the head sees.
    ///
    /// # Shapes
    /// - `rows`: [N, C] of what [`Base::forward`] gives, result the same
    pub fn normalise(&self, rows: Tensor<2>) -> Tensor<2> {
        match &self.body {
            Body::Llama(llama) => llama.normalise(rows),
            Body::Gpt2(gpt2) => gpt2.normalise(rows),
        }
    }

    /// Logits of normalised rows, for sampling.
    ///
    /// # Shapes
    /// - `rows`: [N, C]
    /// - result: [N, V]
    pub fn logits(&self, rows: Tensor<2>) -> Tensor<2> {
        self.head.forward(rows)
    }

    /// Bytes of the weights as they are held.
    pub fn held_bytes(&self) -> f64 {
        let values = self.config.parameters() as f64;
        let saved = self.frozen().into_iter().map(|weight| {
            let [outputs, inputs] = weight.dims();
            (outputs * inputs * size_of::<f32>()) as f64 - weight.bytes() as f64
        });
        values * size_of::<f32>() as f64 - saved.sum::<f64>()
    }

    /// Bytes of the weights that are unpacked at one time, which is one of each size; 0 where products read what is packed.
    pub fn unpacked_bytes(&self) -> f64 {
        if cfg!(not(feature = "webgpu")) {
            return 0.0;
        }
        let packed = self.frozen().into_iter().filter_map(|weight| match weight {
            FrozenWeight::Packed(_) => Some(weight.dims().iter().product()),
            FrozenWeight::Dense(_) => None,
        });
        let sizes: BTreeSet<usize> = packed.collect();
        sizes.into_iter().sum::<usize>() as f64 * size_of::<f32>() as f64
    }

    /// Linear weights and tables, each once.
    fn frozen(&self) -> Vec<&FrozenWeight> {
        let mut frozen: Vec<&FrozenWeight> = match &self.body {
            Body::Llama(llama) => llama
                .blocks
                .iter()
                .flat_map(|block| &block.linears)
                .chain([&llama.embedding])
                .collect(),
            Body::Gpt2(gpt2) => gpt2
                .blocks
                .iter()
                .flat_map(Gpt2Block::linears)
                .chain([&gpt2.embedding])
                .collect(),
        };
        if !self.config.tie_word_embeddings {
            frozen.push(&self.head);
        }
        frozen
    }
}
