//! Attention's softmax, row by row.

use burn::backend::{Flex, TensorMetadata, tensor::FloatTensor};

use super::super::exponential::exp;
use super::super::softmax::{Causal, CausalSoftmax, CausalSoftmaxGradient};
use super::host::{contiguous, tensor, values};

impl CausalSoftmax for Flex {
    fn causal_softmax(scores: FloatTensor<Self>, causal: Causal) -> FloatTensor<Self> {
        let scores = contiguous(scores);
        let shape = scores.shape();
        let keys = shape[3];
        // Whole heads lie one after the other, so a row's place in its head is its place in all, modulo the tokens.
        let mut result = vec![0.0; values(&scores).len()];
        let rows = values(&scores).chunks_exact(keys);
        for (row, (scores, result)) in rows.zip(result.chunks_exact_mut(keys)).enumerate() {
            let seen = causal.seen(row);
            softmax(&scores[seen.clone()], &mut result[seen]);
        }
        tensor(result, shape)
    }
}

fn softmax(scores: &[f32], result: &mut [f32]) {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for (result, score) in result.iter_mut().zip(scores) {
        *result = exp(score - largest);
    }
    let sum: f32 = result.iter().sum();
    for result in result {
        *result /= sum;
    }
}

impl CausalSoftmaxGradient for Flex {
    fn causal_softmax_gradient(
        gradient: FloatTensor<Self>,
        likely: FloatTensor<Self>,
        causal: Causal,
    ) -> FloatTensor<Self> {
        let gradient = contiguous(gradient);
        let shape = gradient.shape();
        let keys = shape[3];
        let mut result = vec![0.0; values(&gradient).len()];
        let rows = values(&gradient)
            .chunks_exact(keys)
            .zip(values(&likely).chunks_exact(keys));
        for (row, ((gradient, likely), result)) in
            rows.zip(result.chunks_exact_mut(keys)).enumerate()
        {
            let seen = causal.seen(row);
            let (gradient, likely) = (&gradient[seen.clone()], &likely[seen.clone()]);
            let pairs = || gradient.iter().zip(likely);
            let mean: f32 = pairs().map(|(gradient, likely)| gradient * likely).sum();
            for (result, (gradient, likely)) in result[seen].iter_mut().zip(pairs()) {
                *result = likely * (gradient - mean);
            }
        }
        tensor(result, shape)
    }
}
