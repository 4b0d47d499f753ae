//! RMSNorm as one operation.
//!
//! Taken apart, it is seven operations forward and more backward, each a pass over memory.

use burn::backend::{
    Autodiff, Backend, Dispatch, TensorMetadata,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    backend_extension,
    tensor::FloatTensor,
};
use burn::tensor::{FloatDType, Tensor};

/// `x / √(mean(x²) + eps) · weight` over the last axis.
///
/// # Shapes
/// - `x`: [N, C], result the same
/// - `weight`: [C]
pub fn rms_norm(x: Tensor<2>, weight: Tensor<1>, eps: f64) -> Tensor<2> {
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(<Dispatch as RmsNorm>::rms_norm(x, weight, eps as f32))
}

/// What a backend must be able to do.
#[backend_extension(
    Flex: cfg(not(feature = "webgpu")),
    Cube: cfg(feature = "webgpu"),
    Fusion: cfg(feature = "webgpu"),
    Autodiff
)]
pub(super) trait RmsNorm: Backend {
    /// As [`rms_norm`].
    #[fusion(dtype = x, shape = x)]
    fn rms_norm(x: FloatTensor<Self>, weight: FloatTensor<Self>, eps: f32) -> FloatTensor<Self>;
}

/// With s = 1 / √(mean(x²) + eps) of a row, g the result's gradient: ∂x = s · w · g − x · s³ / C · Σ w · g · x, and
/// ∂w = Σ g · x · s over rows, which only pretraining asks for.
#[backend_extension(
    Flex: cfg(not(feature = "webgpu")),
    Cube: cfg(feature = "webgpu"),
    Fusion: cfg(feature = "webgpu")
)]
pub(super) trait RmsNormGradients: RmsNorm {
    /// ∂x.
    #[fusion(dtype = x, shape = x)]
    fn rms_norm_to_x(
        gradient: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        eps: f32,
    ) -> FloatTensor<Self>;

    /// ∂w.
    #[fusion(default)]
    fn rms_norm_to_weight(
        gradient: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        eps: f32,
    ) -> FloatTensor<Self> {
        let shape = weight.shape();
        let ones = Self::float_ones(shape.clone(), &weight.device(), FloatDType::F32);
        let products = Self::float_mul(gradient, Self::rms_norm(x, ones, eps));
        Self::float_reshape(Self::float_sum_dim(products, 0), shape)
    }
}

impl<B: RmsNormGradients, C: CheckpointStrategy> RmsNorm for Autodiff<B, C> {
    fn rms_norm(x: FloatTensor<Self>, weight: FloatTensor<Self>, eps: f32) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node()];
        let (x, weight) = (x.into_primitive(), weight.into_primitive());
        let result = B::rms_norm(x.clone(), weight.clone(), eps);
        match Step.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((x, weight, eps), result),
            OpsKind::UnTracked(step) => step.finish(result),
        }
    }
}

#[derive(Debug)]
struct Step;

impl<B: RmsNormGradients> Backward<B, 2> for Step {
    type State = (FloatTensor<B>, FloatTensor<B>, f32);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (x, weight, eps) = ops.state;
        let [to_x, to_weight] = ops.parents;
        if let Some(parent) = to_x {
            let result = B::rms_norm_to_x(gradient.clone(), x.clone(), weight.clone(), eps);
            gradients.register::<B>(parent.id, result);
        }
        if let Some(parent) = to_weight {
            let result = B::rms_norm_to_weight(gradient, x, weight, eps);
            gradients.register::<B>(parent.id, result);
        }
    }
}
