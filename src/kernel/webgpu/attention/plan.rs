//! What all of attention's kernels are told, and how their work is cut.

use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::tile::SIDE;
use crate::kernel::attention::{Mask, Scores};

/// Squares of columns of the result that one workgroup adds up in registers at most; a wider head is cut.
const MOST_SQUARES: usize = 4;

/// More keys than there can be, and small enough to be added to a place.
const NO_WINDOW: usize = 1 << 30;

/// How one attention's tensors lie, and what becomes of products.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub sequences: usize,
    pub tokens: usize,
    pub heads: usize,
    pub key_heads: usize,
    pub keys: usize,
    pub width: usize,
    /// Squares of columns of a head.
    pub squares: usize,
    /// Those of one workgroup.
    pub own_squares: usize,
    /// Where the first query stands among the keys.
    pub past: usize,
    pub window: usize,
    pub causal: bool,
    pub scale: f32,
    pub bound: f32,
    pub bounded: bool,
}

impl Plan {
    /// That of these tensors.
    pub fn new(queries: &CubeTensor, keys: &CubeTensor, scores: Scores) -> Self {
        let (queries, keys) = (queries.shape(), keys.shape());
        let (tokens, key_count, width) = (queries[1], keys[2], queries[3]);
        let (causal, past, window) = match scores.mask {
            Mask::None => (false, 0, NO_WINDOW),
            Mask::Causal { window } => (true, key_count - tokens, window.unwrap_or(NO_WINDOW)),
        };
        let squares = width.div_ceil(SIDE);
        Self {
            sequences: queries[0],
            tokens,
            heads: queries[2],
            key_heads: keys[1],
            keys: key_count,
            width,
            squares,
            own_squares: squares.min(MOST_SQUARES),
            past,
            window,
            causal,
            scale: scores.scale as f32,
            bound: scores.softcap.unwrap_or(1.0) as f32,
            bounded: scores.softcap.is_some(),
        }
    }

    /// Query heads of a key head.
    pub fn group(self) -> usize {
        self.heads / self.key_heads
    }

    /// Workgroups for rows of `tokens` tokens in `heads` heads.
    pub fn workgroups(self, tokens: usize, heads: usize) -> CubeCount {
        let parts = self.squares.div_ceil(self.own_squares);
        CubeCount::Static(
            tokens.div_ceil(SIDE) as u32,
            heads as u32,
            (self.sequences * parts) as u32,
        )
    }
}

/// From a sequence, a head and a row to the next.
pub fn strides(tensor: &CubeTensor) -> [usize; 3] {
    let strides = tensor.meta.strides();
    [strides[0], strides[1], strides[2]]
}
