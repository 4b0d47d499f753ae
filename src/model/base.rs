//! The frozen model.

use std::collections::BTreeSet;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{
    Block, Context, FrozenWeight, ModelConfig, Passage, Rotary,
    architecture::Name,
    norm::NormWeights,
    rope::Rotation,
    walk::{self, Role, Weight},
};
use crate::kernel::{Documents, ProductPrecision};

/// A frozen base model.
#[derive(Debug, Clone)]
pub struct Base {
    /// Its shape.
    pub config: ModelConfig,
    /// Where its weights are.
    pub device: Device,
    /// Embedding table, [V, C].
    pub embedding: FrozenWeight,
    /// Table of learned positions, [longest sequence, C].
    pub positions: Option<FrozenWeight>,
    /// Blocks, first to last.
    pub blocks: Vec<Block>,
    /// Norm before the head.
    pub final_norm: NormWeights,
    /// Output head, [V, C]; the embedding table where it is tied.
    pub head: FrozenWeight,
    /// Bytes of the largest tensor that the device takes whole; `None` where there is no limit.
    pub most_bytes: Option<usize>,
}

/// A weight that has its values.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "a model has hundreds of them, of kilobytes at least"
)]
pub enum Held {
    /// A linear weight or a table.
    Matrix(FrozenWeight),
    /// A norm's weight, or a bias.
    Vector(Tensor<1>),
}

/// Weights that are not all of a base.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name} is missing among the weights")]
pub struct Incomplete {
    /// The first that is not there.
    pub name: String,
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
    /// A base of weights in the order of [`walk::weights`].
    ///
    /// # Errors
    /// The first weight that is missing, or that is a vector and not a matrix, or the other way round.
    pub fn assemble(
        config: ModelConfig,
        device: &Device,
        weights: impl IntoIterator<Item = Held>,
    ) -> Result<Self, Incomplete> {
        let mut blocks = vec![Block::default(); config.num_hidden_layers];
        let (mut embedding, mut positions, mut head) = (None, None, None);
        let mut final_norm = None;
        let mut weights = weights.into_iter();
        for Weight { role, name, .. } in walk::weights(&config) {
            match (role, weights.next()) {
                (Role::Embedding, Some(Held::Matrix(table))) => embedding = Some(table),
                (Role::Positions, Some(Held::Matrix(table))) => positions = Some(table),
                (Role::Head, Some(Held::Matrix(weight))) => head = Some(weight),
                (Role::FinalNorm(kind), Some(Held::Vector(vector))) => {
                    NormWeights::put(&mut final_norm, kind, vector);
                }
                (Role::Block(layer, place, kind), Some(held)) => {
                    let put = blocks[layer].put(place, kind, held);
                    put.ok_or(Incomplete { name })?;
                }
                _ => return Err(Incomplete { name }),
            }
        }
        let incomplete = |name: Name| Incomplete {
            name: name.hugging_face.to_owned(),
        };
        let architecture = config.architecture;
        let embedding = embedding.ok_or(incomplete(architecture.embedding))?;
        Ok(Self {
            final_norm: final_norm.ok_or(incomplete(architecture.final_norm.name))?,
            head: head.unwrap_or_else(|| embedding.clone()),
            device: device.clone(),
            most_bytes: None,
            embedding,
            positions,
            blocks,
            config,
        })
    }

    /// The weight for `role`, as it is held.
    pub fn weight(&self, role: Role) -> Option<Held> {
        match role {
            Role::Embedding => Some(Held::Matrix(self.embedding.clone())),
            Role::Positions => self.positions.clone().map(Held::Matrix),
            Role::Block(layer, place, kind) => self.blocks.get(layer)?.weight(place, kind),
            Role::FinalNorm(kind) => self.final_norm.get(kind).map(Held::Vector),
            Role::Head => Some(Held::Matrix(self.head.clone())),
        }
    }

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
    /// With learned positions where [`Base::check_length`] is an error: there are no such rows.
    pub fn forward(&self, ids: Tensor<2, Int>, mut context: Context<'_>) -> Tensor<2> {
        let tokens = ids.dims()[1];
        let (mut x, passage) = self.enter(ids, context.past(), context.lengths);
        for layer in 0..self.config.num_hidden_layers {
            x = self.block(layer, x, &passage, &mut context);
        }
        if let Some(cache) = context.cache {
            cache.tokens += tokens;
        }
        x
    }

    /// The residual stream before the first block, and what its way through the blocks needs. `past` tokens of each
    /// sequence came before these; or each sequence is made of documents of these `lengths`, whose positions start anew.
    ///
    /// # Shapes
    /// - `ids`: [S, T]
    /// - result: [S·T, C]
    pub fn enter(
        &self,
        ids: Tensor<2, Int>,
        past: usize,
        lengths: Option<&[usize]>,
    ) -> (Tensor<2>, Passage) {
        let device = ids.device();
        let [sequences, tokens] = ids.dims();
        let (positions, documents): (Vec<usize>, _) = match lengths {
            None => (
                (past..past + tokens).collect(),
                Documents::one(tokens, past + tokens, &device),
            ),
            Some(lengths) => (
                lengths.iter().flat_map(|&length| 0..length).collect(),
                Documents::of_lengths(lengths, &device),
            ),
        };
        let rotation = |rotary: &Option<Rotary>| {
            let rotary = rotary.as_ref()?;
            let frequencies = rotary.frequencies(self.config.head_dim);
            Some(Rotation::new(&positions, &frequencies, &device))
        };
        let passage = Passage {
            sequences,
            tokens,
            documents,
            rotation: rotation(&self.config.rotary),
            sliding_rotation: rotation(&self.config.sliding_rotary),
        };
        let embedded = self.embedding.select(ids.reshape([sequences * tokens])); // [S·T, C]
        let embedded = match self.config.embedding_multiplier {
            1.0 => embedded,
            multiplier => embedded.mul_scalar(multiplier),
        };
        let x = match &self.positions {
            Some(table) => {
                let positions: Vec<i32> = positions.iter().map(|&place| place as i32).collect();
                let positions = TensorData::new(positions, [tokens]);
                let learned = table.select(Tensor::from_data(positions, &device)); // [T, C]
                embedded + learned.repeat_dim(0, sequences)
            }
            None => embedded,
        };
        (x, passage)
    }

    /// The residual stream after block `layer`.
    ///
    /// # Shapes
    /// - `x`: [S·T, C], result the same
    ///
    /// # Panics
    /// If there is no such block.
    pub fn block(
        &self,
        layer: usize,
        x: Tensor<2>,
        passage: &Passage,
        context: &mut Context<'_>,
    ) -> Tensor<2> {
        self.blocks[layer].forward(&self.config, layer, x, passage, context)
    }

    /// The normalised rows that the head sees.
    ///
    /// # Shapes
    /// - `rows`: [N, C] of what [`Base::forward`] gives, result the same
    pub fn normalise(&self, rows: Tensor<2>) -> Tensor<2> {
        let rows = self.final_norm.apply(rows, self.config.norm_eps);
        match self.config.logits_scaling {
            1.0 => rows,
            // The head is linear: its rows are fewer values than its logits.
            scaling => rows.div_scalar(scaling),
        }
    }

    /// Logits of normalised rows, for sampling.
    ///
    /// # Shapes
    /// - `rows`: [N, C]
    /// - result: [N, V]
    pub fn logits(&self, rows: Tensor<2>) -> Tensor<2> {
        let logits = self.head.forward(rows, ProductPrecision::Single);
        match self.config.logits_softcap {
            Some(bound) => logits.div_scalar(bound).tanh().mul_scalar(bound),
            None => logits,
        }
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
        let sizes = self.frozen().into_iter().map(FrozenWeight::unpacked_values);
        let sizes: BTreeSet<usize> = sizes.collect();
        sizes.into_iter().sum::<usize>() as f64 * size_of::<f32>() as f64
    }

    /// Linear weights and tables, each once.
    fn frozen(&self) -> Vec<&FrozenWeight> {
        let blocks = self.blocks.iter().flat_map(Block::linears);
        let mut frozen: Vec<&FrozenWeight> = blocks.chain([&self.embedding]).collect();
        if !self.config.tie_word_embeddings {
            frozen.push(&self.head);
        }
        frozen
    }
}
