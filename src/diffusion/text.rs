//! The text encoder: a caption's words to the vectors that the denoiser reads.

use burn::tensor::{Int, Tensor};

use super::block::{Block, NORM_EPS};
use crate::kernel::{Documents, rms_norm};
use crate::model::Context;

/// One block with its norms.
#[derive(Debug, Clone)]
pub struct TextBlock {
    /// RMSNorm before attention, [C].
    pub attention_norm: Tensor<1>,
    /// RMSNorm before the feed-forward layer, [C].
    pub feed_forward_norm: Tensor<1>,
    /// Linear layers.
    pub block: Block,
}

/// Words to vectors.
#[derive(Debug, Clone)]
pub struct TextEncoder {
    /// One row a word, [V, C].
    pub words: Tensor<2>,
    /// One row a place of the caption, [W, C].
    pub places: Tensor<2>,
    /// Blocks, first to last.
    pub blocks: Vec<TextBlock>,
    /// RMSNorm of the output, [C].
    pub norm: Tensor<1>,
}

impl TextEncoder {
    /// # Shapes
    /// - `ids`: [S, W]
    /// - result: [S, W, C]
    pub(super) fn forward(
        &self,
        ids: Tensor<2, Int>,
        heads: usize,
        context: &Context<'_>,
    ) -> Tensor<3> {
        let [sequences, places] = ids.dims();
        let channels = self.words.dims()[1];
        let documents = Documents::one(places, places, &ids.device());
        let words = self.words.clone().select(0, ids.reshape([-1]));
        let words: Tensor<3> = words.reshape([sequences, places, channels]);
        let x = words + self.places.clone().unsqueeze::<3>();
        let mut x = x.reshape([sequences * places, channels]); // [S·W, C]
        for (layer, block) in self.blocks.iter().enumerate() {
            let adapters = context.block(layer);
            let normed = rms_norm(x.clone(), block.attention_norm.clone(), NORM_EPS);
            x = x + block
                .block
                .attention(normed, sequences, heads, &documents, adapters);
            let normed = rms_norm(x.clone(), block.feed_forward_norm.clone(), NORM_EPS);
            x = x + block.block.feed_forward(normed, adapters);
        }
        rms_norm(x, self.norm.clone(), NORM_EPS).reshape([sequences, places, channels])
    }
}
