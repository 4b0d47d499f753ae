//! RMSNorm, row by row.

use burn::backend::{Flex, TensorMetadata, tensor::FloatTensor};

use super::super::rms_norm::{RmsNorm, RmsNormGradients};
use super::super::sums::dot;
use super::host::{contiguous, tensor, values};

/// Sums side by side.
const LANES: usize = 8;

/// `1 / √(mean(x²) + eps)` of a row.
fn scale(row: &[f32], eps: f32) -> f32 {
    let squares: f32 = dot::<LANES>(row, row);
    1.0 / (squares / row.len() as f32 + eps).sqrt()
}

impl RmsNorm for Flex {
    fn rms_norm(x: FloatTensor<Self>, weight: FloatTensor<Self>, eps: f32) -> FloatTensor<Self> {
        let (x, weight) = (contiguous(x), contiguous(weight));
        let channels = x.shape()[1];
        let mut result = vec![0.0; values(&x).len()];
        let rows = values(&x).chunks_exact(channels);
        for (row, result) in rows.zip(result.chunks_exact_mut(channels)) {
            let scale = scale(row, eps);
            for ((result, x), weight) in result.iter_mut().zip(row).zip(values(&weight)) {
                *result = x * scale * weight;
            }
        }
        tensor(result, x.shape())
    }
}

impl RmsNormGradients for Flex {
    fn rms_norm_to_x(
        gradient: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        eps: f32,
    ) -> FloatTensor<Self> {
        let (gradient, x, weight) = (contiguous(gradient), contiguous(x), contiguous(weight));
        let channels = x.shape()[1];
        let mut result = vec![0.0; values(&x).len()];
        let mut weighted = vec![0.0; channels];
        let rows = values(&x).chunks_exact(channels);
        let rows = rows.zip(values(&gradient).chunks_exact(channels));
        for ((x, gradient), result) in rows.zip(result.chunks_exact_mut(channels)) {
            let scale = scale(x, eps);
            let pairs = gradient.iter().zip(values(&weight));
            for (weighted, (gradient, weight)) in weighted.iter_mut().zip(pairs) {
                *weighted = gradient * weight;
            }
            let along = dot::<LANES>(&weighted, x) * scale * scale * scale / channels as f32;
            for ((result, weighted), x) in result.iter_mut().zip(&weighted).zip(x) {
                *result = scale * weighted - along * x;
            }
        }
        tensor(result, x.shape())
    }

    fn rms_norm_to_weight(
        gradient: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        eps: f32,
    ) -> FloatTensor<Self> {
        let (gradient, x) = (contiguous(gradient), contiguous(x));
        let channels = x.shape()[1];
        let mut result = vec![0.0; channels];
        let rows = values(&x).chunks_exact(channels);
        for (x, gradient) in rows.zip(values(&gradient).chunks_exact(channels)) {
            let scale = scale(x, eps);
            for ((result, gradient), x) in result.iter_mut().zip(gradient).zip(x) {
                *result += gradient * x * scale;
            }
        }
        tensor(result, weight.shape())
    }
}
