//! Rotary positions, head by head.

use burn::backend::{Flex, TensorMetadata, tensor::FloatTensor};

use super::super::rotate::Rotate;
use super::host::{contiguous, tensor, values};

impl Rotate for Flex {
    fn rotate(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        back: bool,
    ) -> FloatTensor<Self> {
        let (x, cos, sin) = (contiguous(x), contiguous(cos), contiguous(sin));
        let (all_cos, all_sin) = (values(&cos), values(&sin));
        let shape = x.shape();
        let (tokens, heads, width) = (shape[1], shape[2], shape[3]);
        let (half, direction) = (width / 2, if back { -1.0 } else { 1.0 });
        let mut result = vec![0.0; values(&x).len()];
        let positions = values(&x).chunks_exact(heads * width);
        for (index, (x, result)) in positions
            .zip(result.chunks_exact_mut(heads * width))
            .enumerate()
        {
            let angle = index % tokens * half;
            let cos = &all_cos[angle..angle + half];
            let sin = &all_sin[angle..angle + half];
            for (x, result) in x.chunks_exact(width).zip(result.chunks_exact_mut(width)) {
                let (first, second) = x.split_at(half);
                let (to_first, to_second) = result.split_at_mut(half);
                for i in 0..half {
                    let sin = sin[i] * direction;
                    to_first[i] = first[i] * cos[i] - second[i] * sin;
                    to_second[i] = second[i] * cos[i] + first[i] * sin;
                }
            }
        }
        tensor(result, shape)
    }
}
