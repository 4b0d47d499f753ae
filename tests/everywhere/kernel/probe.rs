//! What an adapter is found to be fastest with, and kernels that it refuses.

use burn::backend::{Backend, Dispatch, backend_extension, tensor::FloatTensor};
use burn::tensor::Tensor;
use burn_cubecl::CubeBackend;
use cubecl::prelude::*;
use riemann_lora::{
    engine::guarded,
    kernel::{
        Form, ProductChoice, ProductKind, ProductStrategy, ProductTable, product, webgpu::choose,
    },
};

use super::{assert_close, normal};
use crate::support::{device, values};

/// More threads of a workgroup than any adapter of a browser offers.
const TOO_MANY: u32 = 1 << 16;

/// A kernel that cannot be launched.
#[backend_extension(Cube, Fusion)]
trait Impossible: Backend {
    #[fusion(dtype = x, shape = x)]
    fn impossible(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl Impossible for CubeBackend {
    fn impossible(x: FloatTensor<Self>) -> FloatTensor<Self> {
        // SAFETY: no adapter runs it.
        unsafe {
            twice::launch_unchecked(
                &x.client.clone(),
                CubeCount::Static(1, 1, 1),
                CubeDim::new_1d(TOO_MANY),
                x.clone().into_buffer_arg(),
            );
        }
        x
    }
}

#[cube(launch_unchecked)]
fn twice(x: &mut [f32]) {
    x[ABSOLUTE_POS] *= 2.0;
}

everywhere! {
    async fn a_refused_kernel_is_told_and_ends_nothing() {
        let device = device().await;
        let x = normal([4, 8], 1.0, &device);
        let before = values(x.clone()).await;
        let refused = guarded(async {
            let result = <Dispatch as Impossible>::impossible(x.clone().mul_scalar(1.0).into_dispatch());
            Tensor::<2>::from_dispatch(result).into_data_async().await.is_ok()
        })
        .await;
        assert!(!matches!(refused, Ok(true)), "the kernel was launched");
        assert_close(&values(x.mul_scalar(1.0)).await, &before);
    }
}

everywhere! {
    async fn every_kind_of_product_is_measured_and_both_ways_are_right() {
        let device = device().await;
        let table = choose(None, &device).await;
        let kinds = [ProductKind::Forward, ProductKind::Backward, ProductKind::Narrow];
        assert_eq!(table.choices.iter().map(|choice| choice.kind).collect::<Vec<_>>(), kinds);
        for choice in &table.choices {
            let (Some(tiles), Some(burn)) = (choice.tiles_seconds, choice.burn_seconds) else {
                panic!("a way failed: {choice:?}");
            };
            let tiles_are_faster = choice.strategy == ProductStrategy::Tiles;
            assert_eq!(tiles_are_faster, tiles <= burn, "{choice:?}");
        }
        let (x, weight) = (normal([40, 64], 1.0, &device), normal([48, 64], 1.0, &device));
        let expected = values(x.clone().matmul(weight.clone().transpose())).await;
        for strategy in [ProductStrategy::Burn, ProductStrategy::Tiles] {
            let choices = kinds.map(|kind| ProductChoice {
                kind,
                strategy,
                tiles_seconds: None,
                burn_seconds: None,
                half_seconds: None,
            });
            let known = ProductTable { choices: choices.to_vec(), ..table.clone() };
            // What is known is not measured again.
            assert_eq!(choose(Some(known.clone()), &device).await, known);
            let ours = product(x.clone(), weight.clone(), Form::RightTransposed);
            assert_close(&values(ours).await, &expected);
        }
        let old = ProductTable { version: 0, ..table };
        assert_ne!(choose(Some(old), &device).await.version, 0);
    }
}
