//! The product with a frozen weight as an operation of burn.

use burn::backend::{
    Autodiff, Backend, Dispatch, Flex, TensorMetadata,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind, unary},
    },
    backend_extension,
    ops::FloatTensorOps,
    tensor::FloatTensor,
};
use burn::tensor::{Tensor, TensorData};

use super::{
    Direction,
    blocked::{self, Weight},
};

/// `x · Wᵀ` or `x · W`, differentiable in `x`.
///
/// # Shapes
/// - `x`: [N, in] forward, [N, out] backward
/// - `weight`: [out, in], outside autodiff
/// - result: [N, out] forward, [N, in] backward
pub fn product(x: Tensor<2>, weight: &Tensor<2>, direction: Direction) -> Tensor<2> {
    let weight = weight.clone().into_dispatch();
    let result = <Dispatch as FrozenProduct>::frozen_product(x.into_dispatch(), weight, direction);
    Tensor::from_dispatch(result)
}

/// What a backend must be able to do.
#[backend_extension(Flex, Autodiff)]
trait FrozenProduct: Backend {
    /// As [`product`].
    fn frozen_product(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        direction: Direction,
    ) -> FloatTensor<Self>;
}

impl FrozenProduct for Flex {
    fn frozen_product(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        direction: Direction,
    ) -> FloatTensor<Self> {
        let x = x.to_contiguous();
        let weight = weight.to_contiguous();
        let (rows, shape) = (x.shape()[0], weight.shape());
        let view = Weight {
            values: values(&weight),
            outputs: shape[0],
            inputs: shape[1],
        };
        let width = match direction {
            Direction::Forward => view.outputs,
            Direction::Backward => view.inputs,
        };
        let result = blocked::product(values(&x), rows, view, direction);
        let data = TensorData::new(result, [rows, width]);
        Self::float_from_data(data, &Default::default())
    }
}

/// The elements of a contiguous tensor.
fn values(tensor: &FloatTensor<Flex>) -> &[f32] {
    let start = tensor.layout().start_offset();
    &tensor.storage::<f32>()[start..start + tensor.layout().num_elements()]
}

impl<B: FrozenProduct, C: CheckpointStrategy> FrozenProduct for Autodiff<B, C> {
    fn frozen_product(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        direction: Direction,
    ) -> FloatTensor<Self> {
        let weight = weight.into_primitive();
        match Step.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(step) => {
                let result = B::frozen_product(x.into_primitive(), weight.clone(), direction);
                step.finish((weight, direction), result)
            }
            OpsKind::UnTracked(step) => {
                step.finish(B::frozen_product(x.into_primitive(), weight, direction))
            }
        }
    }
}

/// The backward step: the gradient takes the weight the other way round. It keeps the weight, of
/// which all steps share the memory, and no activation.
#[derive(Debug)]
struct Step;

impl<B: FrozenProduct> Backward<B, 1> for Step {
    type State = (FloatTensor<B>, Direction);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (weight, direction) = ops.state;
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| {
            B::frozen_product(gradient, weight, direction.reverse())
        });
    }
}
