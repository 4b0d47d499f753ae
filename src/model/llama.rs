//! The Llama architecture: RMSNorm, rotary positions, grouped-query attention, SwiGLU.

use burn::tensor::{Int, Tensor};

use super::{
    Context, FrozenWeight, LlamaConfig, Target, attention::attend, lora::linear, norm::rms_norm,
    rope::Rotation,
};
use crate::kernel::{Causal, swiglu};

/// Frozen weights of one block; linear weights are [out, in].
#[derive(Debug, Clone)]
pub struct LlamaBlock {
    /// RMSNorm before attention, [C].
    pub input_norm: Tensor<1>,
    /// RMSNorm before the feed-forward layer, [C].
    pub post_attention_norm: Tensor<1>,
    /// Linear weights in the order of [`Target::LLAMA`].
    pub linears: [FrozenWeight; Target::LLAMA.len()],
}

/// A frozen Llama below its head.
#[derive(Debug, Clone)]
pub struct Llama {
    /// Its heads and constants.
    pub config: LlamaConfig,
    /// Embedding table, [V, C].
    pub embedding: FrozenWeight,
    /// Blocks, first to last.
    pub blocks: Vec<LlamaBlock>,
    /// RMSNorm before the head, [C].
    pub final_norm: Tensor<1>,
}

/// What all blocks of one forward pass share.
#[derive(Debug)]
pub struct LlamaPassage {
    sequences: usize,
    tokens: usize,
    rotation: Rotation,
    causal: Causal,
}

impl Llama {
    /// As [`super::Base::enter`].
    pub(super) fn enter(&self, ids: Tensor<2, Int>, past: usize) -> (Tensor<2>, LlamaPassage) {
        let LlamaConfig {
            head_dim: width,
            rope_theta: theta,
            ..
        } = self.config;
        let device = ids.device();
        let [sequences, tokens] = ids.dims();
        let passage = LlamaPassage {
            sequences,
            tokens,
            rotation: Rotation::new(past, tokens, width, theta, &device),
            causal: Causal { past, tokens },
        };
        let ids = ids.reshape([sequences * tokens]);
        (self.embedding.select(ids), passage) // [S·T, C]
    }

    /// As [`super::Base::block`].
    pub(super) fn block(
        &self,
        layer: usize,
        x: Tensor<2>,
        passage: &LlamaPassage,
        context: &mut Context<'_>,
    ) -> Tensor<2> {
        let LlamaConfig {
            num_attention_heads: query_heads,
            num_key_value_heads: key_heads,
            head_dim: width,
            rms_norm_eps: eps,
            ..
        } = self.config;
        let LlamaPassage {
            sequences,
            tokens,
            rotation,
            causal,
        } = passage;
        let block = &self.blocks[layer];
        let heads = |x: Tensor<2>, heads| x.reshape([*sequences, *tokens, heads, width]);
        let adapters = context.block(layer);
        let project = |target: Target, x: Tensor<2>| {
            let adapter = adapters.on(target, &x);
            linear(x, &block.linears[target as usize], adapter)
        };

        let normed = rms_norm(x.clone(), &block.input_norm, eps);
        let queries = heads(project(Target::QProj, normed.clone()), query_heads);
        let keys = heads(project(Target::KProj, normed.clone()), key_heads);
        let values = heads(project(Target::VProj, normed), key_heads);
        let queries = rotation.apply(queries); // [S, T, H, D]
        let keys = rotation.apply(keys).swap_dims(1, 2); // [S, Hkv, T, D]
        let values = values.swap_dims(1, 2); // [S, Hkv, T, D]
        let (keys, values) = context.remember(layer, keys, values); // [S, Hkv, P+T, D]
        let attended = attend(queries, keys, values, Some(*causal)); // [S, T, H·D]
        let attended = attended.reshape([sequences * tokens, query_heads * width]);
        let x = x + project(Target::OProj, attended); // [S·T, C]

        let normed = rms_norm(x.clone(), &block.post_attention_norm, eps);
        let gate = project(Target::GateProj, normed.clone()); // [S·T, inner]
        let up = project(Target::UpProj, normed); // [S·T, inner]
        x + project(Target::DownProj, swiglu(gate, up)) // [S·T, C]
    }

    /// As [`super::Base::normalise`].
    pub(super) fn normalise(&self, rows: Tensor<2>) -> Tensor<2> {
        rms_norm(rows, &self.final_norm, self.config.rms_norm_eps)
    }
}
