//! Matrices that stay packed in GPU memory.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use riemann_lora::{
    kernel::{Direction, Matrix, ProductPrecision, webgpu::PackedMatrix},
    load::StorageType,
};

use super::{assert_close, check_gradient, normal};
use crate::support::{device, values};

const OUTPUTS: usize = 12;
const INPUTS: usize = 96;
const PACKED: [StorageType; 4] = [
    StorageType::F16,
    StorageType::Q4_0,
    StorageType::Q4_1,
    StorageType::Q8_0,
];

/// Random codes with scales of ordinary size, and their values.
fn matrix(storage: StorageType) -> (Matrix, Vec<f32>) {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let blocks = OUTPUTS * INPUTS / storage.block_values();
    let scales = match storage {
        StorageType::Q4_1 => 2,
        _ => 1,
    };
    let bytes = (0..blocks).flat_map(|block| {
        let scale = |random: &mut rand_chacha::ChaCha8Rng| match (storage, block % 5) {
            // Below what half precision has as a normal number.
            (StorageType::F16, 0) => half::f16::from_f32(random.random_range(-5e-5..5e-5)),
            (StorageType::F16, _) => half::f16::from_f32(random.random_range(-2.0..2.0)),
            _ => half::f16::from_f32(random.random_range(-0.02..0.02)),
        };
        let mut bytes: Vec<u8> = (0..scales)
            .flat_map(|_| scale(&mut random).to_le_bytes())
            .collect();
        bytes.resize_with(storage.block_bytes(), || random.random());
        bytes
    });
    let matrix = Matrix::new(storage, [OUTPUTS, INPUTS], bytes.collect()).unwrap();
    let mut values = vec![0.0; OUTPUTS * INPUTS];
    for (row, values) in values.chunks_exact_mut(INPUTS).enumerate() {
        matrix.read(row, 0, values);
    }
    (matrix, values)
}

fn dense(values: Vec<f32>, device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, [OUTPUTS, INPUTS]), device)
}

everywhere! {
    async fn a_packed_matrix_is_what_the_cpu_reads_of_it() {
        let device = device().await;
        for storage in PACKED {
            let (matrix, all) = matrix(storage);
            let packed = PackedMatrix::new(&matrix, &device).unwrap();
            assert!(packed.bytes() < matrix.bytes() + 4);
            assert_close(&values(packed.rows(0, OUTPUTS)).await, &all);
            let ids = Tensor::<1, Int>::from_data([7, 0, 11, 7], &device);
            let expected = dense(all.clone(), &device).select(0, ids.clone());
            assert_close(&values(packed.select(ids)).await, &values(expected).await);

            let weight = dense(all, &device);
            let x = normal([5, INPUTS], 1.0, &device);
            let ours = packed.product(x.clone(), Direction::Forward, ProductPrecision::Single);
            let expected = x.matmul(weight.clone().transpose());
            assert_close(&values(ours).await, &values(expected).await);
            let x = normal([5, OUTPUTS], 1.0, &device);
            let ours = packed.product(x.clone(), Direction::Backward, ProductPrecision::Single);
            assert_close(&values(ours).await, &values(x.matmul(weight)).await);
        }
    }
}

everywhere! {
    async fn the_gradient_of_a_packed_product_is_that_of_finite_differences() {
        let device = device().await;
        let (matrix, _) = matrix(StorageType::Q4_1);
        let packed = PackedMatrix::new(&matrix, &device).unwrap();
        for (direction, width) in [(Direction::Forward, INPUTS), (Direction::Backward, OUTPUTS)] {
            let loss = |x| packed.product(x, direction, ProductPrecision::Single).square().sum();
            check_gradient([5, width], 1.0, loss, &device).await;
        }
    }
}

everywhere! {
    async fn what_no_shader_reads_is_not_packed() {
        let device = device().await;
        let matrix = Matrix::new(StorageType::F32, [2, 3], vec![0; 24]).unwrap();
        assert!(PackedMatrix::new(&matrix, &device).is_none());
    }
}
