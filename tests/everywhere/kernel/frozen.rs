//! The product with a packed weight.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use riemann_lora::kernel::{Direction, Matrix, frozen::product};
use riemann_lora::load::StorageType;

use super::{assert_close, check_gradient};
use crate::support::{device, draws::normal, values};

const OUTPUTS: usize = 37;
const INPUTS: usize = 300;

/// A matrix of f32, and the same as a tensor.
async fn matrix(deviation: f32, device: &Device) -> (Arc<Matrix>, Tensor<2>) {
    let tensor = normal([OUTPUTS, INPUTS], deviation, device);
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
            let x = normal([rows, INPUTS], 0.3, &device);
            let ours = product(x.clone(), &weight, Direction::Forward);
            let engines = x.matmul(tensor.clone().transpose());
            assert_close(&values(ours).await, &values(engines).await);

            let gradient = normal([rows, OUTPUTS], 0.3, &device);
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
        let wide = normal([9, 2 * INPUTS], 0.3, &device);
        let x = wide.narrow(1, INPUTS, INPUTS).narrow(0, 1, 7);
        let ours = product(x.clone(), &weight, Direction::Forward);
        let engines = x.matmul(tensor.transpose());
        assert_close(&values(ours).await, &values(engines).await);
    }
}

everywhere! {
    async fn the_gradient_of_a_product_is_that_of_finite_differences() {
        let device = device().await;
        for direction in [Direction::Forward, Direction::Backward] {
            let depth = match direction {
                Direction::Forward => INPUTS,
                Direction::Backward => OUTPUTS,
            };
            let (weight, _) = matrix(0.1, &device).await;
            let loss = |x| product(x, &weight, direction).square().sum();
            check_gradient([5, depth], 0.1, loss, &device).await;
        }
    }
}
