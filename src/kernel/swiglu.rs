//! SwiGLU's product, silu(gate) · up (Shazeer 2020), as one operation.
//!
//! Taken apart, autodiff keeps four tensors of the feed-forward layer's width, and computes e^x twice.

use burn::backend::{
    Autodiff, Backend, Dispatch, Flex, TensorMetadata,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    backend_extension,
    tensor::FloatTensor,
};
use burn::tensor::Tensor;

use super::exponential::sigmoid;
use super::host::{contiguous, tensor, values};

/// `gate · sigmoid(gate) · up`, elementwise.
///
/// # Shapes
/// - `gate`, `up`: [N, inner], result the same
pub fn swiglu(gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
    let result = <Dispatch as Swiglu>::swiglu(gate.into_dispatch(), up.into_dispatch());
    Tensor::from_dispatch(result)
}

/// What a backend must be able to do.
#[backend_extension(Flex, Autodiff)]
trait Swiglu: Backend {
    /// As [`swiglu`].
    fn swiglu(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl Swiglu for Flex {
    fn swiglu(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self> {
        let (gate, up) = (contiguous(gate), contiguous(up));
        let pairs = values(&gate).iter().zip(values(&up));
        let result = pairs.map(|(gate, up)| gate * sigmoid(*gate) * up).collect();
        tensor(result, gate.shape())
    }
}

impl<C: CheckpointStrategy> Swiglu for Autodiff<Flex, C> {
    fn swiglu(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [gate.node(), up.node()];
        let (gate, up) = (gate.into_primitive(), up.into_primitive());
        let result = Flex::swiglu(gate.clone(), up.clone());
        match Step.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((gate, up), result),
            OpsKind::UnTracked(step) => step.finish(result),
        }
    }
}

/// With s = sigmoid(gate): ∂gate = g · up · s · (1 + gate · (1 − s)), ∂up = g · gate · s.
#[derive(Debug)]
struct Step;

impl Backward<Flex, 2> for Step {
    type State = (FloatTensor<Flex>, FloatTensor<Flex>);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let (gate, up) = (contiguous(ops.state.0), contiguous(ops.state.1));
        let shape = gradient.shape();
        let (gradient, gate, up) = (values(&gradient), values(&gate), values(&up));
        let mut to_gate = vec![0.0; gradient.len()];
        let mut to_up = vec![0.0; gradient.len()];
        let inputs = gradient.iter().zip(gate).zip(up);
        for (((gradient, gate), up), (to_gate, to_up)) in
            inputs.zip(to_gate.iter_mut().zip(&mut to_up))
        {
            let sigmoid = sigmoid(*gate);
            *to_gate = gradient * up * sigmoid * (1.0 + gate * (1.0 - sigmoid));
            *to_up = gradient * gate * sigmoid;
        }
        for (parent, result) in ops.parents.into_iter().zip([to_gate, to_up]) {
            if let Some(parent) = parent {
                gradients.register::<Flex>(parent.id, tensor(result, shape.clone()));
            }
        }
    }
}
