//! RMSNorm as one operation.
//!
//! Taken apart, it is seven operations forward and more backward, each a pass over memory.

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

use super::host::{contiguous, tensor, values};
use super::sums::dot;

/// Sums side by side.
const LANES: usize = 8;

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
#[backend_extension(Flex, Autodiff)]
trait RmsNorm: Backend {
    /// As [`rms_norm`].
    fn rms_norm(x: FloatTensor<Self>, weight: FloatTensor<Self>, eps: f32) -> FloatTensor<Self>;
}

/// `1 / √(mean(x²) + eps)` of a row.
fn scale(row: &[f32], eps: f32) -> f32 {
    let squares: f32 = dot::<LANES>(row, row);
    1.0 / (squares / row.len() as f32 + eps).sqrt()
}

impl RmsNorm for Flex {
    fn rms_norm(x: FloatTensor<Self>, weight: FloatTensor<Self>, eps: f32) -> FloatTensor<Self> {
        let (x, weight) = (contiguous(x), contiguous(weight));
        let channels = x.shape()[1];
        let mut result = vec![0.0; values(&x).len()];
        let rows = values(&x).chunks_exact(channels);
        for (row, result) in rows.zip(result.chunks_exact_mut(channels)) {
            let scale = scale(row, eps);
            for ((result, x), weight) in result.iter_mut().zip(row).zip(values(&weight)) {
                *result = x * scale * weight;
            }
        }
        tensor(result, x.shape())
    }
}

impl<C: CheckpointStrategy> RmsNorm for Autodiff<Flex, C> {
    fn rms_norm(x: FloatTensor<Self>, weight: FloatTensor<Self>, eps: f32) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node()];
        let (x, weight) = (x.into_primitive(), weight.into_primitive());
        let result = Flex::rms_norm(x.clone(), weight.clone(), eps);
        match Step.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((x, weight, eps), result),
            OpsKind::UnTracked(step) => step.finish(result),
        }
    }
}

/// With s = 1 / √(mean(x²) + eps) of a row: ∂x = s · w · g − x · s³ / C · Σ w · g · x, and ∂w = Σ g · x · s over rows,
/// which only pretraining asks for.
#[derive(Debug)]
struct Step;

impl Backward<Flex, 2> for Step {
    type State = (FloatTensor<Flex>, FloatTensor<Flex>, f32);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let (x, weight, eps) = ops.state;
        let (x, weight) = (contiguous(x), contiguous(weight));
        let [to_x, to_weight] = ops.parents;
        let channels = x.shape()[1];
        let rows = || {
            let x = values(&x).chunks_exact(channels);
            x.zip(values(&gradient).chunks_exact(channels))
        };
        if let Some(parent) = to_x {
            let mut result = vec![0.0; values(&x).len()];
            let mut weighted = vec![0.0; channels];
            for ((x, gradient), result) in rows().zip(result.chunks_exact_mut(channels)) {
                let scale = scale(x, eps);
                let pairs = gradient.iter().zip(values(&weight));
                for (weighted, (gradient, weight)) in weighted.iter_mut().zip(pairs) {
                    *weighted = gradient * weight;
                }
                let along = dot::<LANES>(&weighted, x) * scale * scale * scale / channels as f32;
                for ((result, weighted), x) in result.iter_mut().zip(&weighted).zip(x) {
                    *result = scale * weighted - along * x;
                }
            }
            gradients.register::<Flex>(parent.id, tensor(result, x.shape()));
        }
        if let Some(parent) = to_weight {
            let mut result = vec![0.0; channels];
            for (x, gradient) in rows() {
                let scale = scale(x, eps);
                for ((result, gradient), x) in result.iter_mut().zip(gradient).zip(x) {
                    *result += gradient * x * scale;
                }
            }
            gradients.register::<Flex>(parent.id, tensor(result, weight.shape()));
        }
    }
}
