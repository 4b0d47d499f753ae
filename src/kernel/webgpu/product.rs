//! Matrix products in tiles of registers.
//!
//! A thread computes four rows by four columns of the result, and reads what it needs in vectors of four where it lies,
//! transposed or not. Nothing is staged in memory of the workgroup, so nobody waits for anybody.
//!
//! Where an adapter is faster with burn's products, or where no vectors can be read, burn's are taken.

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
use burn::tensor::{Shape, Tensor};
use burn_cubecl::{
    CubeBackend,
    kernel::matmul::{MatmulStrategy, matmul},
    ops::numeric::empty_device_contiguous_dtype,
    tensor::CubeTensor,
};

use super::super::{ProductKind, ProductPrecision, ProductStrategy, product::Form};
use super::room::lasting_rows;
use super::strategy::strategy;
use super::tiles;

/// As [`crate::kernel::product`], in some precision.
pub fn product<const D: usize>(
    left: Tensor<D>,
    right: Tensor<D>,
    form: Form,
    precision: ProductPrecision,
) -> Tensor<D> {
    let (left, right) = (left.into_dispatch(), right.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Product>::product(left, right, form, precision))
}

/// What a backend must be able to do.
#[backend_extension(Cube, Fusion, Autodiff)]
pub(super) trait Product: Backend {
    /// As [`product`].
    #[fusion(dtype = left, shape = shape_of(left, right, form))]
    fn product(
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        form: Form,
        precision: ProductPrecision,
    ) -> FloatTensor<Self>;
}

/// The result's shape.
pub(super) fn shape_of(left: &Shape, right: &Shape, form: &Form) -> Shape {
    let axes = left.num_dims();
    let mut shape = left.clone();
    shape[axes - 2] = match form {
        Form::LeftTransposed => left[axes - 1],
        Form::Plain | Form::RightTransposed => left[axes - 2],
    };
    shape[axes - 1] = match form {
        Form::RightTransposed => right[axes - 2],
        Form::Plain | Form::LeftTransposed => right[axes - 1],
    };
    shape
}

impl Product for CubeBackend {
    fn product(
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        form: Form,
        precision: ProductPrecision,
    ) -> FloatTensor<Self> {
        product_into(left, right, form, precision, None)
    }
}

/// Layers of blocks are no wider in models that fit into a browser; what is, are logits.
const WIDEST_LAYER: usize = 16_384;

/// The product, in `place` where there is one.
pub(super) fn product_into(
    left: CubeTensor,
    right: CubeTensor,
    form: Form,
    precision: ProductPrecision,
    place: Option<CubeTensor>,
) -> CubeTensor {
    let shape = shape_of(left.meta.shape(), right.meta.shape(), &form);
    let result = place.unwrap_or_else(|| match shape.as_slice() {
        &[rows, width] if width > WIDEST_LAYER => lasting_rows(&left, rows, width),
        _ => {
            let (client, device) = (left.client.clone(), left.device.clone());
            empty_device_contiguous_dtype(client, device, shape, left.dtype)
        }
    });
    let (left, right) = match form {
        Form::Plain => (left, right),
        Form::LeftTransposed => (transposed(left), right),
        Form::RightTransposed => (left, transposed(right)),
    };
    let smallest = |tensor: &CubeTensor| tensor.meta.shape().iter().rev().take(2).min().copied();
    let smallest = smallest(&left).min(smallest(&right)).unwrap_or(0);
    let half = precision == ProductPrecision::Half;
    if (half || strategy(ProductKind::of(form, smallest)) == ProductStrategy::Tiles)
        && tiles::launch(&left, &right, &result, half)
    {
        return result;
    }
    let dtype = left.dtype;
    match matmul(left, right, Some(result), MatmulStrategy::default(), dtype) {
        Ok(product) => product,
        // What burn's own products do, for there is nothing else to fall back to.
        Err(error) => panic!("a matrix product could not be launched: {error:?}"),
    }
}

/// The same memory with rows for columns.
fn transposed(mut tensor: CubeTensor) -> CubeTensor {
    let axes = tensor.meta.num_dims();
    tensor.meta.swap(axes - 2, axes - 1);
    tensor
}

impl<B: Product, C: CheckpointStrategy> Product for Autodiff<B, C> {
    fn product(
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        form: Form,
        precision: ProductPrecision,
    ) -> FloatTensor<Self> {
        let step = Step.prepare::<C>([left.node(), right.node()]);
        // What is frozen needs no gradient, and its partner need not be kept.
        let (keeps_left, keeps_right) = (right.is_tracked(), left.is_tracked());
        let (left, right) = (left.into_primitive(), right.into_primitive());
        match step.compute_bound().stateful() {
            OpsKind::Tracked(step) => {
                let state = (
                    keeps_left.then(|| left.clone()),
                    keeps_right.then(|| right.clone()),
                    form,
                );
                step.finish(state, B::product(left, right, form, precision))
            }
            OpsKind::UnTracked(step) => step.finish(B::product(left, right, form, precision)),
        }
    }
}

/// Two more products with the gradient.
#[derive(Debug)]
struct Step;

impl<B: Product> Backward<B, 2> for Step {
    type State = (Option<FloatTensor<B>>, Option<FloatTensor<B>>, Form);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        use Form::{LeftTransposed, Plain, RightTransposed};
        let (left, right, form) = ops.state;
        let gradient = gradients.consume::<B>(&ops.node);
        let [of_left, of_right] = ops.parents;
        if let (Some(parent), Some(right)) = (of_left, right) {
            let result = match form {
                Plain => B::product(
                    gradient.clone(),
                    right,
                    RightTransposed,
                    ProductPrecision::Single,
                ),
                RightTransposed => {
                    B::product(gradient.clone(), right, Plain, ProductPrecision::Single)
                }
                LeftTransposed => B::product(
                    right,
                    gradient.clone(),
                    RightTransposed,
                    ProductPrecision::Single,
                ),
            };
            gradients.register::<B>(parent.id, result);
        }
        if let (Some(parent), Some(left)) = (of_right, left) {
            let result = match form {
                Plain => B::product(left, gradient, LeftTransposed, ProductPrecision::Single),
                RightTransposed => {
                    B::product(gradient, left, LeftTransposed, ProductPrecision::Single)
                }
                LeftTransposed => B::product(left, gradient, Plain, ProductPrecision::Single),
            };
            gradients.register::<B>(parent.id, result);
        }
    }
}
