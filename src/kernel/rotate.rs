//! Rotary positions as one operation, without the copies of halves.

use std::sync::Arc;

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

use super::host::{contiguous, tensor, values};

/// Cosine and sine of each position's angles.
#[derive(Debug, PartialEq)]
pub struct Angles {
    /// [T, D/2].
    pub cos: Vec<f32>,
    /// [T, D/2].
    pub sin: Vec<f32>,
}

/// Turns each pair (i, i + D/2) of a head by its position's angle.
///
/// # Shapes
/// - `x`: [S, T, H, D], result the same
pub fn rotate(x: Tensor<4>, angles: &Arc<Angles>) -> Tensor<4> {
    let angles = Arc::clone(angles);
    let result = <Dispatch as Rotate>::rotate(x.into_dispatch(), angles, false);
    Tensor::from_dispatch(result)
}

/// What a backend must be able to do.
#[backend_extension(Flex, Autodiff)]
trait Rotate: Backend {
    /// As [`rotate`], or back.
    fn rotate(x: FloatTensor<Self>, angles: Arc<Angles>, back: bool) -> FloatTensor<Self>;
}

impl Rotate for Flex {
    fn rotate(x: FloatTensor<Self>, angles: Arc<Angles>, back: bool) -> FloatTensor<Self> {
        let x = contiguous(x);
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
            let cos = &angles.cos[angle..angle + half];
            let sin = &angles.sin[angle..angle + half];
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

impl<C: CheckpointStrategy> Rotate for Autodiff<Flex, C> {
    fn rotate(x: FloatTensor<Self>, angles: Arc<Angles>, back: bool) -> FloatTensor<Self> {
        let nodes = [x.node()];
        let result = Flex::rotate(x.into_primitive(), Arc::clone(&angles), back);
        match Step.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((angles, back), result),
            OpsKind::UnTracked(step) => step.finish(result),
        }
    }
}

/// The gradient is turned back. Nothing of the activations is kept.
#[derive(Debug)]
struct Step;

impl Backward<Flex, 1> for Step {
    type State = (Arc<Angles>, bool);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (angles, back) = ops.state;
        unary::<Flex, _>(ops.parents, ops.node, gradients, |gradient| {
            Flex::rotate(gradient, angles, !back)
        });
    }
}
