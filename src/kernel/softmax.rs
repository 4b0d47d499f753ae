//! Attention's softmax over the keys that a query may see, as one operation.
//!
//! Taken apart, autodiff keeps the masked scores beside the result, and half of the exponentials are of keys that are hidden.

use burn::backend::{
    Autodiff, Backend, Dispatch, Flex, TensorMetadata,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind, unary},
    },
    backend_extension,
    tensor::FloatTensor,
};
use burn::tensor::Tensor;

use super::exponential::exp;
use super::host::{contiguous, tensor, values};

/// Which keys the queries of one product see: row i is the query at position `past + i mod tokens`, which sees the keys up
/// to its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Causal {
    /// Keys before the first query.
    pub past: usize,
    /// Queries of a head.
    pub tokens: usize,
}

impl Causal {
    fn seen(self, row: usize) -> usize {
        self.past + row % self.tokens + 1
    }
}

/// Softmax of each row over the keys that its query sees, 0 for the others.
///
/// # Shapes
/// - `scores`: [S, H, G·T, P+T], result the same
pub fn causal_softmax(scores: Tensor<4>, causal: Causal) -> Tensor<4> {
    let result = <Dispatch as CausalSoftmax>::causal_softmax(scores.into_dispatch(), causal);
    Tensor::from_dispatch(result)
}

/// What a backend must be able to do.
#[backend_extension(Flex, Autodiff)]
trait CausalSoftmax: Backend {
    /// As [`causal_softmax`].
    fn causal_softmax(scores: FloatTensor<Self>, causal: Causal) -> FloatTensor<Self>;
}

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
            softmax(&scores[..seen], &mut result[..seen]);
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

impl<C: CheckpointStrategy> CausalSoftmax for Autodiff<Flex, C> {
    fn causal_softmax(scores: FloatTensor<Self>, causal: Causal) -> FloatTensor<Self> {
        let nodes = [scores.node()];
        let result = Flex::causal_softmax(scores.into_primitive(), causal);
        match Step.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((result.clone(), causal), result),
            OpsKind::UnTracked(step) => step.finish(result),
        }
    }
}

/// With p the result: ∂scores = p · (g − Σ g · p).
#[derive(Debug)]
struct Step;

impl Backward<Flex, 1> for Step {
    type State = (FloatTensor<Flex>, Causal);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (likely, causal) = ops.state;
        unary::<Flex, _>(ops.parents, ops.node, gradients, |gradient| {
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
                let pairs = || gradient[..seen].iter().zip(&likely[..seen]);
                let mean: f32 = pairs().map(|(gradient, likely)| gradient * likely).sum();
                for (result, (gradient, likely)) in result.iter_mut().zip(pairs()) {
                    *result = likely * (gradient - mean);
                }
            }
            tensor(result, shape)
        });
    }
}
