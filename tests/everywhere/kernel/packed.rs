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
const INPUTS: usize = 512;
const PACKED: [StorageType; 15] = [
    StorageType::F16,
    StorageType::BF16,
    StorageType::Q4_0,
    StorageType::Q4_1,
    StorageType::Q5_0,
    StorageType::Q5_1,
    StorageType::Q8_0,
    StorageType::Q2_K,
    StorageType::Q3_K,
    StorageType::Q4_K,
    StorageType::Q5_K,
    StorageType::Q6_K,
    StorageType::IQ4_NL,
    StorageType::IQ4_XS,
    StorageType::MXFP4,
];

/// Where a block has numbers of half precision.
fn halves(storage: StorageType) -> &'static [usize] {
    match storage {
        StorageType::F16
        | StorageType::Q4_0
        | StorageType::Q5_0
        | StorageType::Q8_0
        | StorageType::IQ4_NL
        | StorageType::IQ4_XS => &[0],
        StorageType::Q4_1 | StorageType::Q5_1 | StorageType::Q4_K | StorageType::Q5_K => &[0, 2],
        StorageType::Q2_K => &[80, 82],
        StorageType::Q3_K => &[108],
        StorageType::Q6_K => &[208],
        StorageType::F32 | StorageType::BF16 | StorageType::MXFP4 => &[],
    }
}

/// Random codes with scales of ordinary size, and their values.
fn matrix(storage: StorageType) -> (Matrix, Vec<f32>) {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let blocks = OUTPUTS * INPUTS / storage.block_values();
    let bytes = (0..blocks).flat_map(|block| {
        let mut bytes = vec![0; storage.block_bytes()];
        random.fill(bytes.as_mut_slice());
        for &place in halves(storage) {
            let scale = match (storage, block % 5) {
                // Below what half precision has as a normal number.
                (StorageType::F16, 0) => random.random_range(-5e-5..5e-5),
                (StorageType::F16, _) => random.random_range(-2.0..2.0),
                (_, _) if storage.block_values() == 256 => random.random_range(-5e-4..5e-4),
                _ => random.random_range(-0.02..0.02),
            };
            let scale = half::f16::from_f32(scale).to_le_bytes();
            bytes[place..place + 2].copy_from_slice(&scale);
        }
        match storage {
            StorageType::BF16 => {
                let value = half::bf16::from_f32(random.random_range(-2.0..2.0));
                bytes.copy_from_slice(&value.to_le_bytes());
            }
            StorageType::MXFP4 => bytes[0] = random.random_range(118..128),
            _ => {}
        }
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
            let packed = PackedMatrix::new(&matrix, 0..OUTPUTS, OUTPUTS, &device).unwrap();
            assert!(packed.bytes() < matrix.bytes() + 4);
            let largest = all.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            assert!((0.01..10.0).contains(&largest), "{storage}: {largest}");
            assert_close(&values(packed.rows(0, OUTPUTS)).await, &all);
            assert_close(&values(packed.dense()).await, &all);
            // Of some rows, in memory for more of them.
            let part = PackedMatrix::new(&matrix, 5..8, 7, &device).unwrap();
            assert_close(&values(part.dense()).await, &all[5 * INPUTS..8 * INPUTS]);
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
    async fn a_weight_that_is_infinite_or_no_number_stays_so() {
        let device = device().await;
        let halves = [0x7c00_u16, 0xfc00, 0x7e00, 0x7bff, 0xfbff, 0x0001, 0x8000, 0x3c00];
        let bytes = halves.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        let matrix = Matrix::new(StorageType::F16, [2, 4], bytes).unwrap();
        let packed = PackedMatrix::new(&matrix, 0..2, 2, &device).unwrap();
        let read = values(packed.rows(0, 2)).await;
        assert_eq!(read[..2], [f32::INFINITY, f32::NEG_INFINITY]);
        assert!(read[2].is_nan(), "{}", read[2]);
        assert_eq!(read[3..], [65504.0, -65504.0, 2.0_f32.powi(-24), 0.0, 1.0]);
    }
}

everywhere! {
    async fn the_gradient_of_a_packed_product_is_that_of_finite_differences() {
        let device = device().await;
        let (matrix, _) = matrix(StorageType::Q4_1);
        let packed = PackedMatrix::new(&matrix, 0..OUTPUTS, OUTPUTS, &device).unwrap();
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
        assert!(PackedMatrix::new(&matrix, 0..2, 2, &device).is_none());
    }
}
