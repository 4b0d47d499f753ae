//! The product with a frozen matrix as an operation of burn.

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

use super::cpu::host::{contiguous, tensor, values};
use super::{Direction, Matrix, blocked, few_rows};

/// `x · Wᵀ` or `x · W`, differentiable in `x`.
///
/// # Shapes
/// - `x`: [N, in] forward, [N, out] backward
/// - `weight`: [out, in]
/// - result: [N, out] forward, [N, in] backward
pub fn product(x: Tensor<2>, weight: &Arc<Matrix>, direction: Direction) -> Tensor<2> {
    let weight = Arc::clone(weight);
    let result = <Dispatch as FrozenProduct>::frozen_product(x.into_dispatch(), weight, direction);
    Tensor::from_dispatch(result)
}

/// `x · Wᵀ` without a derivative, the faster way for few rows; the last bits are not those of [`product`].
///
/// # Shapes
/// - `x`: [N, in], outside autodiff
/// - `weight`: [out, in]
/// - result: [N, out]
pub fn few_rows_product(x: Tensor<2>, weight: &Arc<Matrix>) -> Tensor<2> {
    let x = x.into_dispatch();
    Tensor::from_dispatch(<Dispatch as FrozenProduct>::few_rows_product(
        x,
        Arc::clone(weight),
    ))
}

/// What a backend must be able to do.
#[backend_extension(Flex, Autodiff)]
trait FrozenProduct: Backend {
    /// As [`few_rows_product`].
    fn few_rows_product(x: FloatTensor<Self>, weight: Arc<Matrix>) -> FloatTensor<Self>;

    /// As [`product`].
    fn frozen_product(
        x: FloatTensor<Self>,
        weight: Arc<Matrix>,
        direction: Direction,
    ) -> FloatTensor<Self>;
}

impl FrozenProduct for Flex {
    fn few_rows_product(x: FloatTensor<Self>, weight: Arc<Matrix>) -> FloatTensor<Self> {
        let x = contiguous(x);
        let result = few_rows::product(values(&x), &weight);
        tensor(result, [x.shape()[0], weight.outputs()])
    }

    fn frozen_product(
        x: FloatTensor<Self>,
        weight: Arc<Matrix>,
        direction: Direction,
    ) -> FloatTensor<Self> {
        let x = contiguous(x);
        let result = blocked::product(values(&x), &weight, direction);
        let width = match direction {
            Direction::Forward => weight.outputs(),
            Direction::Backward => weight.inputs(),
        };
        tensor(result, [x.shape()[0], width])
    }
}

impl<B: FrozenProduct, C: CheckpointStrategy> FrozenProduct for Autodiff<B, C> {
    fn few_rows_product(x: FloatTensor<Self>, weight: Arc<Matrix>) -> FloatTensor<Self> {
        Self::frozen_product(x, weight, Direction::Forward)
    }

    fn frozen_product(
        x: FloatTensor<Self>,
        weight: Arc<Matrix>,
        direction: Direction,
    ) -> FloatTensor<Self> {
        match Step.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(step) => {
                let result = B::frozen_product(x.into_primitive(), Arc::clone(&weight), direction);
                step.finish((weight, direction), result)
            }
            OpsKind::UnTracked(step) => {
                step.finish(B::frozen_product(x.into_primitive(), weight, direction))
            }
        }
    }
}

/// The backward step: the gradient takes the matrix the other way round. What it keeps is the packed matrix, of which
/// there is one for all steps, and no activation.
#[derive(Debug)]
struct Step;

impl<B: FrozenProduct> Backward<B, 1> for Step {
    type State = (Arc<Matrix>, Direction);

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
