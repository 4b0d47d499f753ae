//! The transformer block that text encoder and denoiser share: its linear layers, with their banks.

use burn::tensor::Tensor;

use crate::kernel::{Documents, Gating, Mask, Scores, attention, gated};
use crate::model::{FrozenWeight, Target, context::BlockAdapters};

/// Added to the mean square by all norms.
pub(super) const NORM_EPS: f64 = 1e-6;

/// Linear weights of one block, [out, in], in the order of [`Target::LLAMA`].
#[derive(Debug, Clone)]
pub struct Block {
    /// Queries, keys, values, attention's output; gate, values and output of the feed-forward layer.
    pub linears: [FrozenWeight; Target::LLAMA.len()],
}

impl Block {
    fn project(&self, target: Target, x: Tensor<2>, adapters: BlockAdapters<'_>) -> Tensor<2> {
        adapters.linear(x, &self.linears[target as usize], Some(target))
    }

    /// Every place of a sequence attends to every other.
    ///
    /// # Shapes
    /// - `x`: [S·T, C], result the same
    pub(super) fn attention(
        &self,
        x: Tensor<2>,
        sequences: usize,
        heads: usize,
        documents: &Documents,
        adapters: BlockAdapters<'_>,
    ) -> Tensor<2> {
        let [rows, channels] = x.dims();
        let split = |x: Tensor<2>| -> Tensor<4> {
            x.reshape([sequences, rows / sequences, heads, channels / heads])
        };
        let queries = split(self.project(Target::QProj, x.clone(), adapters)); // [S, T, H, D]
        let keys = split(self.project(Target::KProj, x.clone(), adapters)).swap_dims(1, 2);
        let values = split(self.project(Target::VProj, x, adapters)).swap_dims(1, 2);
        let scores = Scores::scaled_by_width(channels / heads, Mask::None);
        let attended = attention(queries, keys, values, documents, scores); // [S, T, H, D]
        self.project(Target::OProj, attended.reshape([rows, channels]), adapters)
    }

    /// SwiGLU (Shazeer, arXiv 2002.05202).
    ///
    /// # Shapes
    /// - `x`: [S·T, C], result the same
    pub(super) fn feed_forward(&self, x: Tensor<2>, adapters: BlockAdapters<'_>) -> Tensor<2> {
        let gate = self.project(Target::GateProj, x.clone(), adapters);
        let up = self.project(Target::UpProj, x, adapters);
        self.project(Target::DownProj, gated(gate, up, Gating::Silu), adapters)
    }
}
