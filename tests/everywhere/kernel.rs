//! The product with a frozen weight, as an operation of burn.

use std::sync::Arc;

use burn::tensor::{Device, Distribution, Tensor};
use riemann_lora::kernel::{Direction, Matrix, frozen::product};
use riemann_lora::load::StorageType;

use crate::support::{device, values};

const OUTPUTS: usize = 37;
const INPUTS: usize = 300;

/// A matrix of f32, and the same as a tensor.
async fn matrix(deviation: f64, device: &Device) -> (Arc<Matrix>, Tensor<2>) {
    let normal = Distribution::Normal(0.0, deviation);
    let tensor = Tensor::<2>::random([OUTPUTS, INPUTS], normal, device);
    let bytes = values(tensor.clone())
        .await
        .into_iter()
        .flat_map(f32::to_le_bytes);
    let matrix = Matrix::new(StorageType::F32, [OUTPUTS, INPUTS], bytes.collect());
    (Arc::new(matrix.expect("bytes for the shape")), tensor)
}

everywhere! {
    async fn both_directions_are_the_engines_own_products() {
        let device = device().await;
        for rows in [2, 23] {
            let (weight, tensor) = matrix(1.0, &device).await;
            let x = Tensor::<2>::random([rows, INPUTS], Distribution::Default, &device);
            let ours = product(x.clone(), &weight, Direction::Forward);
            let engines = x.matmul(tensor.clone().transpose());
            assert_close(&values(ours).await, &values(engines).await);

            let gradient = Tensor::<2>::random([rows, OUTPUTS], Distribution::Default, &device);
            let ours = product(gradient.clone(), &weight, Direction::Backward);
            let engines = gradient.matmul(tensor);
            assert_close(&values(ours).await, &values(engines).await);
        }
    }
}

everywhere! {
    async fn a_slice_of_a_larger_tensor_is_read_where_it_lies() {
        let device = device().await;
        let (weight, tensor) = matrix(1.0, &device).await;
        let wide = Tensor::<2>::random([9, 2 * INPUTS], Distribution::Default, &device);
        let x = wide.narrow(1, INPUTS, INPUTS).narrow(0, 1, 7);
        let ours = product(x.clone(), &weight, Direction::Forward);
        let engines = x.matmul(tensor.transpose());
        assert_close(&values(ours).await, &values(engines).await);
    }
}

everywhere! {
    async fn the_gradient_is_that_of_finite_differences() {
        const STEP: f32 = 1e-2;
        let device = device().await;
        for direction in [Direction::Forward, Direction::Backward] {
            let depth = match direction {
                Direction::Forward => INPUTS,
                Direction::Backward => OUTPUTS,
            };
            let normal = Distribution::Normal(0.0, 0.1);
            let (weight, _) = matrix(0.1, &device).await;
            let x = Tensor::<2>::random([5, depth], normal, &device);
            let towards = Tensor::<2>::random([5, depth], normal, &device);
            // Quadratic, so that central differences are exact but for rounding.
            let loss = |x: Tensor<2>| product(x, &weight, direction).square().sum();

            let tracked = x.clone().autodiff().require_grad();
            let gradients = loss(tracked.clone()).backward();
            let gradient = tracked.grad(&gradients).expect("a gradient of the tracked leaf");
            let predicted = values((gradient * towards.clone()).sum()).await[0];
            let above = values(loss(x.clone() + towards.clone() * STEP)).await[0];
            let below = values(loss(x - towards * STEP)).await[0];
            let measured = (above - below) / (2.0 * STEP);
            assert!(
                (predicted - measured).abs() <= 2e-3 * measured.abs().max(1.0),
                "{direction:?}: {predicted} from backward, {measured} from differences"
            );
        }
    }
}

fn assert_close(ours: &[f32], engines: &[f32]) {
    assert_eq!(ours.len(), engines.len());
    for (index, (ours, engines)) in ours.iter().zip(engines).enumerate() {
        assert!(
            (ours - engines).abs() <= 1e-5 * engines.abs().max(1.0),
            "element {index}: {ours}, and {engines} by the engine"
        );
    }
}
