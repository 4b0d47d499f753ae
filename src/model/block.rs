//! One block: attention and a feed-forward layer, which its architecture's modules and the config describe.

use burn::tensor::Tensor;

use super::{
    Activation, Context, FrozenWeight, Held, ModelConfig, Target,
    architecture::{Norm, Place, Projection},
    attention::attend,
    context::BlockAdapters,
    gelu::gelu,
    lora::{change, linear},
    norm::NormWeights,
    rope::Rotation,
    walk::Kind,
};
use crate::kernel::{Causal, swiglu};

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
    /// Which keys a query sees.
    pub(super) causal: Causal,
    /// How positions turn queries and keys.
    pub(super) rotation: Option<Rotation>,
}

/// A block in one forward pass.
struct Forward<'a> {
    config: &'a ModelConfig,
    block: &'a Block,
    passage: &'a Passage,
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
            adapters: context.block(layer),
        };
        let normed = forward.norm(Norm::Attention, x.clone());
        let [queries, keys, values] = forward.queries_keys_values(normed);
        let (keys, values) = context.remember(layer, keys, values); // [S, Hkv, P+T, D]
        let attended = attend(queries, keys, values, Some(passage.causal)); // [S, T, H·D]
        let attended = attended.reshape([passage.sequences * passage.tokens, config.query_width()]);
        let x = x + forward.project(Projection::AttentionOutput, Target::OProj, attended); // [S·T, C]

        let normed = forward.norm(Norm::FeedForward, x.clone());
        x + forward.feed_forward(normed) // [S·T, C]
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
    fn norm(&self, norm: Norm, x: Tensor<2>) -> Tensor<2> {
        match &self.block.norms[norm as usize] {
            Some(weights) => weights.apply(x, self.config.norm_eps),
            None => x,
        }
    }

    /// The linear layer with its adapter, which is called `target`.
    fn project(&self, projection: Projection, target: Target, x: Tensor<2>) -> Tensor<2> {
        let Some(layer) = &self.block.linears[projection as usize] else {
            unreachable!("a base is assembled of all weights of its architecture");
        };
        let adapter = self.adapters.on(target, &x);
        let projected = linear(x, &layer.weight, adapter);
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
                self.project(Projection::Queries, Target::QProj, normed.clone()),
                self.project(Projection::Keys, Target::KProj, normed.clone()),
                self.project(Projection::Values, Target::VProj, normed),
            ],
        };
        let (queries, keys) = (heads(queries, query_heads), heads(keys, key_heads));
        let (queries, keys) = match &self.passage.rotation {
            Some(rotation) => (rotation.apply(queries), rotation.apply(keys)),
            None => (queries, keys),
        };
        let values = heads(values, key_heads).swap_dims(1, 2);
        [queries, keys.swap_dims(1, 2), values]
    }

    /// Queries, keys and values as parts of one layer, each with an adapter of its own.
    fn parts(&self, normed: Tensor<2>) -> [Tensor<2>; 3] {
        let fused = self.project(Projection::QueriesKeysValues, Target::CAttn, normed.clone()); // [S·T, 3C]
        let (queries, keys) = (self.config.query_width(), self.config.key_width());
        let part = |start: usize, width: usize, target: Target| {
            let part = fused.clone().narrow(1, start, width); // [S·T, C]
            match self.adapters.on(target, &normed) {
                Some(adapter) => part + change(normed.clone(), adapter),
                None => part,
            }
        };
        [
            part(0, queries, Target::QProj),
            part(queries, keys, Target::KProj),
            part(queries + keys, keys, Target::VProj),
        ]
    }

    fn feed_forward(&self, normed: Tensor<2>) -> Tensor<2> {
        let gate = self.config.architecture.is_gated().then(|| {
            self.project(Projection::Gate, Target::GateProj, normed.clone()) // [S·T, inner]
        });
        let up = self.project(Projection::Up, Target::UpProj, normed); // [S·T, inner]
        let inner = match (gate, self.config.activation) {
            (Some(gate), Activation::Silu) => swiglu(gate, up),
            (Some(gate), Activation::GeluTanh) => gelu(gate) * up,
            (None, Activation::GeluTanh) => gelu(up),
            (None, Activation::Silu) => burn::tensor::activation::silu(up),
        };
        self.project(Projection::Down, Target::DownProj, inner)
    }
}
