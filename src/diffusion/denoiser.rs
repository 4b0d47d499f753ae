//! The denoiser: a diffusion transformer that reads the caption's words before the patches (Peebles and Xie,
//! arXiv 2212.09748).

use burn::tensor::{Tensor, activation::silu};

use super::{
    block::{Block, NORM_EPS},
    time::TimeEmbedding,
};
use crate::kernel::Documents;
use crate::model::Context;

/// Vectors by which time and caption change a block: shift, scale and gate of attention, then of the feed-forward layer.
pub const BLOCK_MODULATIONS: usize = 6;
/// Shift and scale before the output.
pub const OUTPUT_MODULATIONS: usize = 2;

/// One block.
#[derive(Debug, Clone)]
pub struct DenoiserBlock {
    /// What this block adds to the modulation that all share, [6, C].
    pub modulation: Tensor<2>,
    /// Linear layers.
    pub block: Block,
}

/// Noisy patches to velocities.
#[derive(Debug, Clone)]
pub struct Denoiser {
    /// [C, patch values].
    pub patch_in: Tensor<2>,
    /// [C].
    pub patch_in_bias: Tensor<1>,
    /// One row a patch, [P, C].
    pub places: Tensor<2>,
    /// Time to a vector.
    pub time: TimeEmbedding,
    /// The caption's mean to a vector that is added to the time's, [C, C].
    pub caption: Tensor<2>,
    /// Time and caption to the modulation that all blocks share, [6·C, C] (adaLN-single, Chen et al., arXiv 2310.00426).
    pub modulation: Tensor<2>,
    /// Blocks, first to last.
    pub blocks: Vec<DenoiserBlock>,
    /// Time and caption to the modulation of the output, [2·C, C].
    pub output_modulation: Tensor<2>,
    /// [patch values, C].
    pub patch_out: Tensor<2>,
    /// [patch values].
    pub patch_out_bias: Tensor<1>,
}

/// `x / √(mean(x²) + eps) · (1 + scale) + shift` over channels: RMSNorm whose scale depends on the sequence.
///
/// # Shapes
/// - `x`: [S, T, C], result the same
/// - `shift`, `scale`: [S, 1, C]
pub fn modulated(x: Tensor<3>, shift: Tensor<3>, scale: Tensor<3>) -> Tensor<3> {
    let mean_square = x.clone().square().mean_dim(2); // [S, T, 1]
    let inverse = mean_square.add_scalar(NORM_EPS).sqrt().recip();
    x * inverse * scale.add_scalar(1.0) + shift
}

impl Denoiser {
    /// # Shapes
    /// - `patches`: [S, P, patch values]
    /// - `waves`: [S, C] of the times
    /// - `text`: [S, W, C] of the text encoder
    /// - result: [S, P, patch values]
    pub(super) fn forward(
        &self,
        patches: Tensor<3>,
        waves: Tensor<2>,
        text: Tensor<3>,
        heads: usize,
        first_layer: usize,
        context: &Context<'_>,
    ) -> Tensor<3> {
        let [sequences, patch_count, patch_values] = patches.dims();
        let [_, words, channels] = text.dims();
        let tokens = words + patch_count;
        let documents = Documents::one(tokens, tokens, &patches.device().inner());

        let caption = text.clone().mean_dim(1).squeeze_dim::<2>(1); // [S, C]
        let caption = caption.matmul(self.caption.clone().transpose());
        let condition = silu(self.time.forward(waves) + caption); // [S, C]
        let shared = condition
            .clone()
            .matmul(self.modulation.clone().transpose());
        let shared: Tensor<3> = shared.reshape([sequences, BLOCK_MODULATIONS, channels]);

        let patches = patches.reshape([sequences * patch_count, patch_values]);
        let x = patches.matmul(self.patch_in.clone().transpose())
            + self.patch_in_bias.clone().unsqueeze::<2>();
        let x: Tensor<3> = x.reshape([sequences, patch_count, channels]);
        let x = x + self.places.clone().unsqueeze::<3>();
        let mut x = Tensor::cat(vec![text, x], 1); // [S, W + P, C]

        let rows = |x: Tensor<3>| -> Tensor<2> { x.reshape([sequences * tokens, channels]) };
        let whole = |x: Tensor<2>| -> Tensor<3> { x.reshape([sequences, tokens, channels]) };
        for (layer, block) in self.blocks.iter().enumerate() {
            let adapters = context.block(first_layer + layer);
            let all = shared.clone() + block.modulation.clone().unsqueeze::<3>(); // [S, 6, C]
            let part = |index: usize| all.clone().narrow(1, index, 1); // [S, 1, C]
            let normed = rows(modulated(x.clone(), part(0), part(1)));
            let attended = block
                .block
                .attention(normed, sequences, heads, &documents, adapters);
            x = x + whole(attended) * part(2);
            let normed = rows(modulated(x.clone(), part(3), part(4)));
            x = x + whole(block.block.feed_forward(normed, adapters)) * part(5);
        }

        let output = condition.matmul(self.output_modulation.clone().transpose());
        let output: Tensor<3> = output.reshape([sequences, OUTPUT_MODULATIONS, channels]);
        let (shift, scale) = (output.clone().narrow(1, 0, 1), output.narrow(1, 1, 1));
        let x = modulated(x.narrow(1, words, patch_count), shift, scale);
        let x = x.reshape([sequences * patch_count, channels]);
        let x = x.matmul(self.patch_out.clone().transpose())
            + self.patch_out_bias.clone().unsqueeze::<2>();
        x.reshape([sequences, patch_count, patch_values])
    }
}
