//! The product of a gated feed-forward layer, SwiGLU's or GeGLU's (Shazeer 2020), as one operation.
//!
//! Taken apart, autodiff keeps four tensors of the feed-forward layer's width of SwiGLU, and six of GeGLU, and computes e^x
//! twice.

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

/// The non-linearity of a gate, `gate · sigmoid(slope · gate)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gating {
    /// SiLU: the slope is 1.
    Silu,
    /// GELU by its approximation with tanh (Hendrycks and Gimpel 2016): the slope is `2 √(2/π) (1 + 0.044715 gate²)`,
    /// because (1 + tanh u) / 2 is sigmoid(2u).
    GeluTanh,
}

impl Gating {
    /// a and b of the slope a + b · gate².
    pub(super) fn slope(self) -> [f32; 2] {
        match self {
            Self::Silu => [1.0, 0.0],
            Self::GeluTanh => {
                let at_zero =
                    2.0 * std::f32::consts::FRAC_2_SQRT_PI * std::f32::consts::FRAC_1_SQRT_2;
                [at_zero, 0.044715 * at_zero]
            }
        }
    }
}

/// `gate · sigmoid(slope · gate) · up`, elementwise.
///
/// # Shapes
/// - `gate`, `up`: [N, inner], result the same
pub fn gated(gate: Tensor<2>, up: Tensor<2>, gating: Gating) -> Tensor<2> {
    let (gate, up) = (gate.into_dispatch(), up.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Gated>::gated(gate, up, gating))
}

/// What a backend must be able to do.
#[backend_extension(
    Flex: cfg(not(feature = "webgpu")),
    Cube: cfg(feature = "webgpu"),
    Fusion: cfg(feature = "webgpu"),
    Autodiff
)]
pub(super) trait Gated: Backend {
    /// As [`gated`].
    #[fusion(dtype = gate, shape = gate)]
    fn gated(gate: FloatTensor<Self>, up: FloatTensor<Self>, gating: Gating) -> FloatTensor<Self>;
}

/// With s = sigmoid(a · gate + b · gate³), g the result's gradient: ∂gate = g · up · s · (1 + (1 − s) · (a · gate + 3 b · gate³)),
/// ∂up = g · gate · s.
#[backend_extension(
    Flex: cfg(not(feature = "webgpu")),
    Cube: cfg(feature = "webgpu"),
    Fusion: cfg(feature = "webgpu")
)]
pub(super) trait GatedGradients: Gated {
    /// ∂gate and ∂up.
    #[fusion(meta = |_gradient, gate, up, _gating| (gate.clone(), up.clone()))]
    fn gated_gradients(
        gradient: FloatTensor<Self>,
        gate: FloatTensor<Self>,
        up: FloatTensor<Self>,
        gating: Gating,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

impl<B: GatedGradients, C: CheckpointStrategy> Gated for Autodiff<B, C> {
    fn gated(gate: FloatTensor<Self>, up: FloatTensor<Self>, gating: Gating) -> FloatTensor<Self> {
        let nodes = [gate.node(), up.node()];
        let (gate, up) = (gate.into_primitive(), up.into_primitive());
        let result = B::gated(gate.clone(), up.clone(), gating);
        match Step.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((gate, up, gating), result),
            OpsKind::UnTracked(step) => step.finish(result),
        }
    }
}

#[derive(Debug)]
struct Step;

impl<B: GatedGradients> Backward<B, 2> for Step {
    type State = (FloatTensor<B>, FloatTensor<B>, Gating);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (gate, up, gating) = ops.state;
        let (to_gate, to_up) = B::gated_gradients(gradient, gate, up, gating);
        for (parent, result) in ops.parents.into_iter().zip([to_gate, to_up]) {
            if let Some(parent) = parent {
                gradients.register::<B>(parent.id, result);
            }
        }
    }
}
