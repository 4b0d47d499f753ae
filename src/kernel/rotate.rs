//! Rotary positions as one operation, without the copies of halves.

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

/// Cosine and sine of each position's angles, outside autodiff.
#[derive(Debug, Clone)]
pub struct Angles {
    /// [T, D/2].
    pub cos: Tensor<2>,
    /// [T, D/2].
    pub sin: Tensor<2>,
}

/// Turns each pair (i, i + D/2) of a head by its position's angle.
///
/// # Shapes
/// - `x`: [S, T, H, D], result the same
pub fn rotate(x: Tensor<4>, angles: &Angles) -> Tensor<4> {
    let Angles { cos, sin } = angles.clone();
    let (cos, sin) = (cos.into_dispatch(), sin.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Rotate>::rotate(
        x.into_dispatch(),
        cos,
        sin,
        false,
    ))
}

/// What a backend must be able to do.
#[backend_extension(
    Flex: cfg(not(feature = "webgpu")),
    Cube: cfg(feature = "webgpu"),
    Fusion: cfg(feature = "webgpu"),
    Autodiff
)]
pub(super) trait Rotate: Backend {
    /// As [`rotate`], or back.
    #[fusion(dtype = x, shape = x)]
    fn rotate(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        back: bool,
    ) -> FloatTensor<Self>;
}

impl<B: Rotate, C: CheckpointStrategy> Rotate for Autodiff<B, C> {
    fn rotate(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        back: bool,
    ) -> FloatTensor<Self> {
        let nodes = [x.node()];
        let (cos, sin) = (cos.into_primitive(), sin.into_primitive());
        let result = B::rotate(x.into_primitive(), cos.clone(), sin.clone(), back);
        match Step.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((cos, sin, back), result),
            OpsKind::UnTracked(step) => step.finish(result),
        }
    }
}

/// The gradient is turned back. Nothing of the activations is kept.
#[derive(Debug)]
struct Step;

impl<B: Rotate> Backward<B, 1> for Step {
    type State = (FloatTensor<B>, FloatTensor<B>, bool);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (cos, sin, back) = ops.state;
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| {
            B::rotate(gradient, cos, sin, !back)
        });
    }
}
