//! The Llama architecture: RMSNorm, rotary positions, grouped-query attention, SwiGLU.

use burn::tensor::{Device, Int, Tensor, activation::silu};

use super::{
    Adapters, Cache, ModelConfig, Target,
    attention::{CausalMask, attend},
    cache::LayerCache,
    dropout::Dropout,
    lora::{AdapterInput, linear},
    norm::rms_norm,
    rope::Rotation,
};

/// Frozen weights of one block; linear weights are [out, in].
#[derive(Debug, Clone)]
pub struct Block {
    /// RMSNorm before attention, [C].
    pub input_norm: Tensor<1>,
    /// RMSNorm before the feed-forward layer, [C].
    pub post_attention_norm: Tensor<1>,
    /// Linear weights in the order of [`Target::ALL`].
    pub linears: [Tensor<2>; 7],
}

/// A frozen base model.
#[derive(Debug, Clone)]
pub struct Llama {
    /// Its shape.
    pub config: ModelConfig,
    /// Where its weights are.
    pub device: Device,
    /// Embedding table, [V, C].
    pub embedding: Tensor<2>,
    /// Blocks, first to last.
    pub blocks: Vec<Block>,
    /// RMSNorm before the head, [C].
    pub final_norm: Tensor<1>,
    /// Output head, [V, C]; the embedding table where it is tied.
    pub head: Tensor<2>,
}

/// What accompanies the tokens of one forward pass.
#[derive(Debug, Default)]
pub struct Context<'a> {
    /// Adapters of K runs; the base alone where there are none.
    pub adapters: Option<&'a Adapters>,
    /// Dropout on the adapters' inputs, while training.
    pub dropout: Option<&'a Dropout>,
    /// Keys and values of earlier tokens; they are added to.
    pub cache: Option<&'a mut Cache>,
}

impl Llama {
    /// The residual stream after the last block, before the final norm.
    ///
    /// # Shapes
    /// - `ids`: [S, T]; with adapters of K runs S = K·B, the sequences of run 0 first
    /// - result: [S·T, C]
    pub fn forward(&self, ids: Tensor<2, Int>, mut context: Context<'_>) -> Tensor<2> {
        let config = &self.config;
        let [sequences, tokens] = ids.dims();
        let past = context.cache.as_ref().map_or(0, |cache| cache.tokens);
        let group = config.num_attention_heads / config.num_key_value_heads;
        let rotation = Rotation::new(
            past,
            tokens,
            config.head_dim,
            config.rope_theta,
            &self.device,
        );
        let mask = CausalMask::new(past, tokens, group, &self.device);

        let mut x = self
            .embedding
            .clone()
            .select(0, ids.reshape([sequences * tokens])); // [S·T, C]
        for (layer, block) in self.blocks.iter().enumerate() {
            let project = |target: Target, x: Tensor<2>| {
                let adapter = context.adapters.and_then(|adapters| {
                    Some(AdapterInput {
                        bank: adapters.bank(layer, target)?,
                        scale: adapters.shape.scale(),
                        dropout: context
                            .dropout
                            .map(|dropout| dropout.mask(layer, target, &x, adapters.runs)),
                    })
                });
                linear(x, &block.linears[target as usize], adapter)
            };

            let normed = rms_norm(x.clone(), &block.input_norm, config.rms_norm_eps);
            let heads =
                |x: Tensor<2>, heads: usize| x.reshape([sequences, tokens, heads, config.head_dim]);
            let queries = heads(
                project(Target::QProj, normed.clone()),
                config.num_attention_heads,
            );
            let keys = heads(
                project(Target::KProj, normed.clone()),
                config.num_key_value_heads,
            );
            let values = heads(project(Target::VProj, normed), config.num_key_value_heads);
            let queries = rotation.apply(queries);
            let keys = rotation.apply(keys).swap_dims(1, 2); // [S, Hkv, T, D]
            let values = values.swap_dims(1, 2);
            let (keys, values) = match &mut context.cache {
                Some(cache) => LayerCache::append(&mut cache.layers[layer], keys, values),
                None => (keys, values),
            };
            let attended = attend(queries, keys, values, mask.as_ref()); // [S, T, H·D]
            let width = config.num_attention_heads * config.head_dim;
            x = x + project(Target::OProj, attended.reshape([sequences * tokens, width]));

            let normed = rms_norm(x.clone(), &block.post_attention_norm, config.rms_norm_eps);
            let gate = silu(project(Target::GateProj, normed.clone()));
            let up = project(Target::UpProj, normed);
            x = x + project(Target::DownProj, gate * up);
        }
        if let Some(cache) = context.cache {
            cache.tokens += tokens;
        }
        x
    }

    /// The normalised rows that the head sees.
    ///
    /// # Shapes
    /// - `rows`: [N, C] of what [`Llama::forward`] gives, result the same
    pub fn normalise(&self, rows: Tensor<2>) -> Tensor<2> {
        rms_norm(rows, &self.final_norm, self.config.rms_norm_eps)
    }

    /// Logits of normalised rows.
    ///
    /// # Shapes
    /// - `rows`: [N, C]
    /// - result: [N, V]
    pub fn logits(&self, rows: Tensor<2>) -> Tensor<2> {
        rows.matmul(self.head.clone().transpose())
    }
}
