//! Cross entropy over a vocabulary and its derivative, as one operation.

use burn::backend::{
    Backend, Dispatch, backend_extension,
    tensor::{FloatTensor, IntTensor},
};
use burn::tensor::{Int, Tensor};
#[cfg(feature = "webgpu")]
use burn::{backend::fusion::custom::TensorSpec, tensor::Shape};

/// Cross entropy of each row in nats, and its derivative with respect to the logits: softmax, less one at the target.
///
/// # Shapes
/// - `logits`: [N, V], outside autodiff
/// - `targets`: [N], each below V
/// - result: [N] and [N, V]
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>) -> (Tensor<1>, Tensor<2>) {
    let (logits, targets) = (logits.into_dispatch(), targets.into_dispatch());
    let (losses, derivative) = <Dispatch as CrossEntropy>::cross_entropy(logits, targets);
    (
        Tensor::from_dispatch(losses),
        Tensor::from_dispatch(derivative),
    )
}

/// Cross entropy of each row in nats, where nobody asks for a derivative; the same numbers as [`cross_entropy`]'s.
///
/// # Shapes
/// - `logits`: [N, V], outside autodiff
/// - `targets`: [N], each below V
/// - result: [N]
pub fn cross_entropy_losses(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    let (logits, targets) = (logits.into_dispatch(), targets.into_dispatch());
    Tensor::from_dispatch(<Dispatch as CrossEntropy>::cross_entropy_losses(
        logits, targets,
    ))
}

/// What a backend must be able to do.
#[backend_extension(
    Flex: cfg(not(feature = "webgpu")),
    Cube: cfg(feature = "webgpu"),
    Fusion: cfg(feature = "webgpu")
)]
pub(super) trait CrossEntropy: Backend {
    /// As [`cross_entropy`].
    #[fusion(meta = described)]
    fn cross_entropy(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// As [`cross_entropy_losses`].
    #[fusion(dtype = logits, shape = rows_of(logits))]
    fn cross_entropy_losses(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// What comes of logits and targets.
#[cfg(feature = "webgpu")]
fn described(logits: &TensorSpec, _targets: &TensorSpec) -> (TensorSpec, TensorSpec) {
    let losses = rows_of(&logits.shape);
    (TensorSpec::new(losses, logits.dtype), logits.clone())
}

/// A number for each row.
#[cfg(feature = "webgpu")]
fn rows_of(logits: &Shape) -> Shape {
    Shape::new([logits[0]])
}
