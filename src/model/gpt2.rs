//! The GPT-2 architecture: LayerNorm, learned positions, fused queries, keys and values, GELU.

use burn::tensor::{Int, Tensor};

use super::{
    Context, FrozenWeight, Gpt2Config, Target,
    attention::attend,
    gelu::gelu,
    lora::{change, linear},
    norm::LayerNorm,
};
use crate::kernel::Causal;

/// A frozen linear layer with a bias.
#[derive(Debug, Clone)]
pub struct Affine {
    /// [out, in], which HF's `Conv1D` holds the other way round.
    pub weight: FrozenWeight,
    /// [out].
    pub bias: Tensor<1>,
}

/// Frozen weights of one block.
#[derive(Debug, Clone)]
pub struct Gpt2Block {
    /// LayerNorm before attention.
    pub ln_1: LayerNorm,
    /// Queries, keys and values, [3C, C], in thirds of the rows.
    pub c_attn: Affine,
    /// Attention's output, [C, C].
    pub attn_c_proj: Affine,
    /// LayerNorm before the feed-forward layer.
    pub ln_2: LayerNorm,
    /// Into the feed-forward layer, [inner, C].
    pub c_fc: Affine,
    /// Out of the feed-forward layer, [C, inner].
    pub mlp_c_proj: Affine,
}

impl Gpt2Block {
    /// Its linear weights.
    pub(super) fn linears(&self) -> [&FrozenWeight; 4] {
        [
            &self.c_attn,
            &self.attn_c_proj,
            &self.c_fc,
            &self.mlp_c_proj,
        ]
        .map(|layer| &layer.weight)
    }
}

/// A frozen GPT-2 below its head.
#[derive(Debug, Clone)]
pub struct Gpt2 {
    /// Its heads and constants.
    pub config: Gpt2Config,
    /// Embedding table, [V, C].
    pub embedding: FrozenWeight,
    /// Position table, [n_positions, C].
    pub positions: Tensor<2>,
    /// Blocks, first to last.
    pub blocks: Vec<Gpt2Block>,
    /// LayerNorm before the head.
    pub final_norm: LayerNorm,
}

/// What all blocks of one forward pass share.
#[derive(Debug)]
pub struct Gpt2Passage {
    sequences: usize,
    tokens: usize,
    causal: Causal,
}

impl Gpt2 {
    /// As [`super::Base::enter`].
    pub(super) fn enter(&self, ids: Tensor<2, Int>, past: usize) -> (Tensor<2>, Gpt2Passage) {
        let [sequences, tokens] = ids.dims();
        let passage = Gpt2Passage {
            sequences,
            tokens,
            causal: Causal { past, tokens },
        };
        let embedded = self.embedding.select(ids.reshape([sequences * tokens])); // [S·T, C]
        let positions = self.positions.clone().narrow(0, past, tokens); // [T, C]
        (embedded + positions.repeat_dim(0, sequences), passage)
    }

    /// As [`super::Base::block`].
    pub(super) fn block(
        &self,
        layer: usize,
        x: Tensor<2>,
        passage: &Gpt2Passage,
        context: &mut Context<'_>,
    ) -> Tensor<2> {
        let heads = self.config.num_attention_heads;
        let eps = self.config.layer_norm_epsilon;
        let channels = self.embedding.dims()[1];
        let Gpt2Passage {
            sequences,
            tokens,
            causal,
        } = passage;
        let block = &self.blocks[layer];
        let adapters = context.block(layer);
        let project = |layer: &Affine, target: Target, x: Tensor<2>| {
            let adapter = adapters.on(target, &x);
            linear(x, &layer.weight, adapter) + layer.bias.clone().unsqueeze::<2>()
        };

        let normed = block.ln_1.apply(x.clone(), eps); // [S·T, C]
        let fused = project(&block.c_attn, Target::CAttn, normed.clone()); // [S·T, 3C]
        let part = |third: usize, target: Target| {
            let part = fused.clone().narrow(1, third * channels, channels); // [S·T, C]
            let part = match adapters.on(target, &normed) {
                Some(adapter) => part + change(normed.clone(), adapter),
                None => part,
            };
            part.reshape([*sequences, *tokens, heads, channels / heads]) // [S, T, H, D]
        };
        let queries = part(0, Target::QProj); // [S, T, H, D]
        let keys = part(1, Target::KProj).swap_dims(1, 2); // [S, H, T, D]
        let values = part(2, Target::VProj).swap_dims(1, 2); // [S, H, T, D]
        let (keys, values) = context.remember(layer, keys, values); // [S, H, P+T, D]
        let attended = attend(queries, keys, values, Some(*causal)); // [S, T, C]
        let attended = attended.reshape([sequences * tokens, channels]);
        let x = x + project(&block.attn_c_proj, Target::OProj, attended); // [S·T, C]

        let normed = block.ln_2.apply(x.clone(), eps); // [S·T, C]
        let inner = gelu(project(&block.c_fc, Target::UpProj, normed)); // [S·T, inner]
        x + project(&block.mlp_c_proj, Target::DownProj, inner) // [S·T, C]
    }

    /// As [`super::Base::normalise`].
    pub(super) fn normalise(&self, rows: Tensor<2>) -> Tensor<2> {
        self.final_norm.apply(rows, self.config.layer_norm_epsilon)
    }
}
