//! Attention's softmax over the keys that a query may see, as one operation, on WebGPU.
//!
//! Taken apart, autodiff keeps the masked scores beside the result, and half of the exponentials are of keys that are hidden.

use burn::backend::{
    Autodiff, Backend, Dispatch,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind, unary},
    },
    backend_extension,
    tensor::FloatTensor,
};
use burn::tensor::Tensor;

/// Which keys the queries of one product see: row i is the query at position `past + i mod tokens`, which sees the keys up
/// to its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Causal {
    /// Keys before the first query.
    pub past: usize,
    /// Queries of a head.
    pub tokens: usize,
    /// Keys that a query sees at most, the last ones.
    pub window: Option<usize>,
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
#[backend_extension(Cube, Fusion, Autodiff)]
pub(super) trait CausalSoftmax: Backend {
    /// As [`causal_softmax`].
    #[fusion(dtype = scores, shape = scores)]
    fn causal_softmax(scores: FloatTensor<Self>, causal: Causal) -> FloatTensor<Self>;
}

/// With p the result and g its gradient: ∂scores = p · (g − Σ g · p).
#[backend_extension(Cube, Fusion)]
pub(super) trait CausalSoftmaxGradient: CausalSoftmax {
    /// ∂scores.
    #[fusion(dtype = likely, shape = likely)]
    fn causal_softmax_gradient(
        gradient: FloatTensor<Self>,
        likely: FloatTensor<Self>,
        causal: Causal,
    ) -> FloatTensor<Self>;
}

impl<B: CausalSoftmaxGradient, C: CheckpointStrategy> CausalSoftmax for Autodiff<B, C> {
    fn causal_softmax(scores: FloatTensor<Self>, causal: Causal) -> FloatTensor<Self> {
        let nodes = [scores.node()];
        let result = B::causal_softmax(scores.into_primitive(), causal);
        match Step.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((result.clone(), causal), result),
            OpsKind::UnTracked(step) => step.finish(result),
        }
    }
}

#[derive(Debug)]
struct Step;

impl<B: CausalSoftmaxGradient> Backward<B, 1> for Step {
    type State = (FloatTensor<B>, Causal);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (likely, causal) = ops.state;
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| {
            B::causal_softmax_gradient(gradient, likely, causal)
        });
    }
}
