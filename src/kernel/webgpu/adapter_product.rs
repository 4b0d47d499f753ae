//! The product of activations with a factor, whose gradient goes to its place in the row of all gradients.

use burn::backend::{
    Autodiff, Dispatch,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    backend_extension,
    tensor::FloatTensor,
};
use burn::tensor::Tensor;

use super::super::{ProductPrecision, product::Form};
use super::place::{Place, Places};
use super::product::Product;

/// `x · Fᵀ` of each run, differentiable in both.
///
/// # Shapes
/// - `x`: [K, N, in]
/// - `factor`: [K, out, in]
/// - result: [K, N, out]
pub fn adapter_product(x: Tensor<3>, factor: Tensor<3>, place: &Place) -> Tensor<3> {
    let (x, factor) = (x.into_dispatch(), factor.into_dispatch());
    let row = place.row.clone().into_dispatch();
    Tensor::from_dispatch(<Dispatch as AdapterProduct>::adapter_product(
        x,
        factor,
        row,
        place.start,
    ))
}

/// What a backend must be able to do.
#[backend_extension(Cube, Fusion, Autodiff)]
trait AdapterProduct: Product {
    /// As [`adapter_product`].
    #[fusion(default)]
    fn adapter_product(
        x: FloatTensor<Self>,
        factor: FloatTensor<Self>,
        _row: FloatTensor<Self>,
        _start: usize,
    ) -> FloatTensor<Self> {
        Self::product(x, factor, Form::RightTransposed, ProductPrecision::Single)
    }
}

impl AdapterProduct for burn_cubecl::CubeBackend {}

impl<B: AdapterProduct + Places, C: CheckpointStrategy> AdapterProduct for Autodiff<B, C> {
    fn adapter_product(
        x: FloatTensor<Self>,
        factor: FloatTensor<Self>,
        row: FloatTensor<Self>,
        start: usize,
    ) -> FloatTensor<Self> {
        let step = Step.prepare::<C>([x.node(), factor.node()]);
        let (x, factor, row) = (
            x.into_primitive(),
            factor.into_primitive(),
            row.into_primitive(),
        );
        match step.compute_bound().stateful() {
            OpsKind::Tracked(step) => {
                let state = (x.clone(), factor.clone(), row.clone(), start);
                step.finish(state, B::adapter_product(x, factor, row, start))
            }
            OpsKind::UnTracked(step) => step.finish(B::adapter_product(x, factor, row, start)),
        }
    }
}

/// With g the result's gradient: ∂x = g · F and ∂F = gᵀ · x.
#[derive(Debug)]
struct Step;

impl<B: AdapterProduct + Places> Backward<B, 2> for Step {
    type State = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, usize);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (x, factor, row, start) = ops.state;
        let gradient = gradients.consume::<B>(&ops.node);
        let [of_x, of_factor] = ops.parents;
        if let Some(node) = of_x {
            let result = B::product(
                gradient.clone(),
                factor,
                Form::Plain,
                ProductPrecision::Single,
            );
            gradients.register::<B>(node.id, result);
        }
        if let Some(node) = of_factor {
            gradients.register::<B>(node.id, B::product_at(gradient, x, row, start));
        }
    }
}
