//! SwiGLU's product, silu(gate) · up (Shazeer 2020), as one operation.
//!
//! Taken apart, autodiff keeps four tensors of the feed-forward layer's width, and computes e^x twice.

use burn::backend::{
    Autodiff, Backend, Dispatch,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    backend_extension,
    tensor::FloatTensor,
};
use burn::tensor::Tensor;

/// `gate · sigmoid(gate) · up`, elementwise.
///
/// # Shapes
/// - `gate`, `up`: [N, inner], result the same
pub fn swiglu(gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
    let result = <Dispatch as Swiglu>::swiglu(gate.into_dispatch(), up.into_dispatch());
    Tensor::from_dispatch(result)
}

/// What a backend must be able to do.
#[backend_extension(
    Flex: cfg(not(feature = "webgpu")),
    Cube: cfg(feature = "webgpu"),
    Fusion: cfg(feature = "webgpu"),
    Autodiff
)]
pub(super) trait Swiglu: Backend {
    /// As [`swiglu`].
    #[fusion(dtype = gate, shape = gate)]
    fn swiglu(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// With s = sigmoid(gate), g the result's gradient: ∂gate = g · up · s · (1 + gate · (1 − s)), ∂up = g · gate · s.
#[backend_extension(
    Flex: cfg(not(feature = "webgpu")),
    Cube: cfg(feature = "webgpu"),
    Fusion: cfg(feature = "webgpu")
)]
pub(super) trait SwigluGradients: Swiglu {
    /// ∂gate and ∂up.
    #[fusion(meta = |_gradient, gate, up| (gate.clone(), up.clone()))]
    fn swiglu_gradients(
        gradient: FloatTensor<Self>,
        gate: FloatTensor<Self>,
        up: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

impl<B: SwigluGradients, C: CheckpointStrategy> Swiglu for Autodiff<B, C> {
    fn swiglu(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [gate.node(), up.node()];
        let (gate, up) = (gate.into_primitive(), up.into_primitive());
        let result = B::swiglu(gate.clone(), up.clone());
        match Step.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((gate, up), result),
            OpsKind::UnTracked(step) => step.finish(result),
        }
    }
}

#[derive(Debug)]
struct Step;

impl<B: SwigluGradients> Backward<B, 2> for Step {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (gate, up) = ops.state;
        let (to_gate, to_up) = B::swiglu_gradients(gradient, gate, up);
        for (parent, result) in ops.parents.into_iter().zip([to_gate, to_up]) {
            if let Some(parent) = parent {
                gradients.register::<B>(parent.id, result);
            }
        }
    }
}
