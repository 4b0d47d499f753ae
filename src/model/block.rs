//! One block: attention and a feed-forward layer, which its architecture's modules and the config describe.

use burn::tensor::{Tensor, activation};

use super::{
    Activation, Context, FrozenWeight, Held, ModelConfig, Target,
    architecture::{Norm, Place, Projection},
    context::BlockAdapters,
    gelu::gelu,
    lora::change,
    norm::NormWeights,
    rope::Rotation,
    walk::Kind,
};
use crate::kernel::{Documents, Gating, Mask, Scores, attention, gated};

/// A frozen linear layer.
#[derive(Debug, Clone)]
pub struct LinearWeights {
    /// [out, in].
    pub weight: FrozenWeight,
    /// [out].
    pub bias: Option<Tensor<1>>,
}

/// Frozen weights of one block.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub(super) norms: [Option<NormWeights>; Norm::COUNT],
    pub(super) linears: [Option<LinearWeights>; Projection::COUNT],
}

/// What all blocks of one forward pass share.
#[derive(Debug)]
pub struct Passage {
    /// S.
    pub(super) sequences: usize,
    /// T.
    pub(super) tokens: usize,
    /// What each sequence is made of.
    pub(super) documents: Documents,
    /// How positions turn queries and keys.
    pub(super) rotation: Option<Rotation>,
    /// How they do in layers with a window, where that is another way.
    pub(super) sliding_rotation: Option<Rotation>,
}

/// A block in one forward pass.
struct Forward<'a> {
    config: &'a ModelConfig,
    block: &'a Block,
    passage: &'a Passage,
    layer: usize,
    adapters: BlockAdapters<'a>,
}

impl Block {
    /// The residual stream after this block, number `layer`.
    ///
    /// # Shapes
    /// - `x`: [S·T, C], result the same
    pub(super) fn forward(
        &self,
        config: &ModelConfig,
        layer: usize,
        x: Tensor<2>,
        passage: &Passage,
        context: &mut Context<'_>,
    ) -> Tensor<2> {
        let forward = Forward {
            config,
            block: self,
            passage,
            layer,
            adapters: context.block(layer),
        };
        let attended = forward.attention(x.clone(), context); // [S·T, C]
        if config.parallel_residual {
            let inner = forward.feed_forward(x.clone());
            return x + attended + inner;
        }
        let x = x + attended;
        let inner = forward.feed_forward(x.clone()); // [S·T, C]
        x + inner
    }

    /// Takes a weight; `None` where a vector stands for a matrix, or the other way round.
    pub(super) fn put(&mut self, place: Place, kind: Kind, held: Held) -> Option<()> {
        match (place, kind, held) {
            (Place::Norm(norm), kind, Held::Vector(vector)) => {
                NormWeights::put(&mut self.norms[norm as usize], kind, vector);
            }
            (Place::Linear(projection), Kind::Weight, Held::Matrix(weight)) => {
                self.linears[projection as usize] = Some(LinearWeights { weight, bias: None });
            }
            (Place::Linear(projection), Kind::Bias, Held::Vector(bias)) => {
                self.linears[projection as usize].as_mut()?.bias = Some(bias);
            }
            _ => return None,
        }
        Some(())
    }

    /// One of its weights.
    pub(super) fn weight(&self, place: Place, kind: Kind) -> Option<Held> {
        match (place, kind) {
            (Place::Norm(norm), kind) => {
                let norm = self.norms[norm as usize].as_ref()?;
                norm.get(kind).map(Held::Vector)
            }
            (Place::Linear(projection), Kind::Weight) => {
                let layer = self.linears[projection as usize].as_ref()?;
                Some(Held::Matrix(layer.weight.clone()))
            }
            (Place::Linear(projection), Kind::Bias) => {
                let layer = self.linears[projection as usize].as_ref()?;
                layer.bias.clone().map(Held::Vector)
            }
        }
    }

    /// The linear layer for `projection`, where there is one.
    pub fn linear_mut(&mut self, projection: Projection) -> Option<&mut LinearWeights> {
        self.linears[projection as usize].as_mut()
    }

    /// Its linear weights.
    pub(super) fn linears(&self) -> impl Iterator<Item = &FrozenWeight> {
        self.linears.iter().flatten().map(|layer| &layer.weight)
    }
}

impl Forward<'_> {
    /// What attention adds to the residual stream, [S·T, C] as `x`.
    fn attention(&self, x: Tensor<2>, context: &mut Context<'_>) -> Tensor<2> {
        let Passage {
            sequences,
            tokens,
            ref documents,
            ..
        } = *self.passage;
        let normed = self.norm(Norm::Attention, x);
        let [queries, keys, values] = self.queries_keys_values(normed);
        let (keys, values) = context.remember(self.layer, keys, values); // [S, Hkv, P+T, D]
        let scores = Scores {
            scale: self.config.scale_of_scores(),
            softcap: self.config.attention_softcap,
            mask: Mask::Causal {
                window: self.config.window(self.layer),
            },
        };
        let attended = attention(queries, keys, values, documents, scores); // [S, T, H, D]
        let attended = attended.reshape([sequences * tokens, self.config.query_width()]);
        let attended = self.project(Projection::AttentionOutput, attended); // [S·T, C]
        self.scaled(self.norm(Norm::AttentionOutput, attended))
    }

    /// What the feed-forward layer adds to the residual stream, [S·T, C] as `x`.
    fn feed_forward(&self, x: Tensor<2>) -> Tensor<2> {
        let normed = self.norm(Norm::FeedForward, x);
        let (gate, up) = self.gate_and_up(normed); // [S·T, inner]
        let inner = match (gate, self.config.activation) {
            (Some(gate), Activation::Silu) => gated(gate, up, Gating::Silu),
            (Some(gate), Activation::GeluTanh) => gated(gate, up, Gating::GeluTanh),
            (Some(gate), Activation::Gelu) => activation::gelu(gate) * up,
            (None, Activation::Silu) => activation::silu(up),
            (None, Activation::GeluTanh) => gelu(up),
            (None, Activation::Gelu) => activation::gelu(up),
        };
        let added = self.project(Projection::Down, inner);
        self.scaled(self.norm(Norm::FeedForwardOutput, added))
    }

    fn scaled(&self, added: Tensor<2>) -> Tensor<2> {
        match self.config.residual_multiplier {
            1.0 => added,
            multiplier => added.mul_scalar(multiplier),
        }
    }

    fn norm(&self, norm: Norm, x: Tensor<2>) -> Tensor<2> {
        match &self.block.norms[norm as usize] {
            Some(weights) => weights.apply(x, self.config.norm_eps),
            None => x,
        }
    }

    /// A norm of each head, or of all heads at once.
    ///
    /// # Shapes
    /// - `x`: [S·T, H·D], result the same
    fn head_norm(&self, norm: Norm, x: Tensor<2>) -> Tensor<2> {
        let Some(weights) = &self.block.norms[norm as usize] else {
            return x;
        };
        let [rows, channels] = x.dims();
        let width = weights.weight.dims()[0];
        let x = x.reshape([rows * channels / width, width]);
        let normed = weights.apply(x, self.config.norm_eps);
        normed.reshape([rows, channels])
    }

    /// The linear layer with its adapter.
    fn project(&self, projection: Projection, x: Tensor<2>) -> Tensor<2> {
        let place = Place::Linear(projection);
        let module = self.config.architecture.module_at(place);
        let (Some(layer), Some(module)) = (&self.block.linears[projection as usize], module) else {
            unreachable!("a base is assembled of all weights of its architecture");
        };
        let projected = self.adapters.linear(x, &layer.weight, module.target);
        match &layer.bias {
            Some(bias) => projected + bias.clone().unsqueeze::<2>(),
            None => projected,
        }
    }

    /// Queries [S, T, H, D], and keys and values [S, Hkv, T, D], of the normed rows [S·T, C].
    fn queries_keys_values(&self, normed: Tensor<2>) -> [Tensor<4>; 3] {
        let ModelConfig {
            num_attention_heads: query_heads,
            num_key_value_heads: key_heads,
            head_dim: width,
            ..
        } = *self.config;
        let Passage {
            sequences, tokens, ..
        } = *self.passage;
        let heads = |x: Tensor<2>, heads| x.reshape([sequences, tokens, heads, width]);
        let [queries, keys, values] = match self.config.architecture.is_fused() {
            true => self.parts(normed),
            false => [
                self.project(Projection::Queries, normed.clone()),
                self.project(Projection::Keys, normed.clone()),
                self.project(Projection::Values, normed),
            ],
        };
        let queries = heads(self.head_norm(Norm::Queries, queries), query_heads);
        let keys = heads(self.head_norm(Norm::Keys, keys), key_heads);
        let (queries, keys) = match self.rotation() {
            Some(rotation) => (rotation.apply(queries), rotation.apply(keys)),
            None => (queries, keys),
        };
        let values = heads(values, key_heads).swap_dims(1, 2);
        [queries, keys.swap_dims(1, 2), values]
    }

    /// How positions turn queries and keys in this layer.
    fn rotation(&self) -> Option<&Rotation> {
        if self.config.unrotated_layers.get(self.layer) == Some(&true) {
            return None;
        }
        let sliding = self.config.window(self.layer).is_some();
        let sliding = self.passage.sliding_rotation.as_ref().filter(|_| sliding);
        sliding.or(self.passage.rotation.as_ref())
    }

    /// Queries, keys and values as parts of one layer, each with an adapter of its own.
    fn parts(&self, normed: Tensor<2>) -> [Tensor<2>; 3] {
        let fused = self.project(Projection::QueriesKeysValues, normed.clone()); // [S·T, 3C]
        let (queries, keys) = (self.config.query_width(), self.config.key_width());
        let parts = match self.config.architecture.interleaves_heads {
            true => {
                let heads = self.config.num_attention_heads;
                let rows = fused.dims()[0];
                let fused = fused.reshape([rows, heads, 3, self.config.head_dim]);
                [0, 1, 2].map(|third| {
                    let part = fused.clone().narrow(2, third, 1);
                    part.reshape([rows, queries])
                })
            }
            false => [(0, queries), (queries, keys), (queries + keys, keys)]
                .map(|(start, width)| fused.clone().narrow(1, start, width)),
        };
        let [first, second, third] = parts;
        [
            self.changed(first, Target::QProj, &normed),
            self.changed(second, Target::KProj, &normed),
            self.changed(third, Target::VProj, &normed),
        ]
    }

    /// Gate and values of the feed-forward layer, or values alone.
    fn gate_and_up(&self, normed: Tensor<2>) -> (Option<Tensor<2>>, Tensor<2>) {
        let architecture = self.config.architecture;
        if architecture.is_gate_fused() {
            let inner = self.config.intermediate_size;
            let fused = self.project(Projection::GateUp, normed.clone()); // [S·T, 2·inner]
            let part = |start, target| {
                let part = fused.clone().narrow(1, start, inner);
                self.changed(part, target, &normed)
            };
            return (Some(part(0, Target::GateProj)), part(inner, Target::UpProj));
        }
        let gate = architecture.is_gated().then(|| {
            self.project(Projection::Gate, normed.clone()) // [S·T, inner]
        });
        (gate, self.project(Projection::Up, normed))
    }

    /// A part of a layer's output with what the part's own adapter adds.
    fn changed(&self, part: Tensor<2>, target: Target, normed: &Tensor<2>) -> Tensor<2> {
        match self.adapters.on(target, normed) {
            Some(adapter) => part + change(normed.clone(), adapter),
            None => part,
        }
    }
}
