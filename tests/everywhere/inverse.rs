//! The batched inverse against f64.

use burn::tensor::{Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riemann_lora::optim::{inverse::inverse, square::identity};

use crate::support::{device, norm, values};

/// A software WebGPU adapter takes 10 ms and more a dispatch, and a rank takes five dispatches.
#[cfg(feature = "webgpu")]
const RANKS: [usize; 4] = [1, 2, 5, 8];
#[cfg(not(feature = "webgpu"))]
const RANKS: std::ops::RangeInclusive<usize> = 1..=64;

/// QᵀΛQ in f64 with a random rotation Q and eigenvalues from 1 down to 1 / condition.
fn matrix(rank: usize, condition: f64, random: &mut ChaCha8Rng) -> Vec<f64> {
    let mut rows: Vec<Vec<f64>> = Vec::new();
    while rows.len() < rank {
        let mut row: Vec<f64> = (0..rank).map(|_| random.random_range(-1.0..1.0)).collect();
        for _ in 0..2 {
            for other in &rows {
                let dot: f64 = row.iter().zip(other).map(|(x, y)| x * y).sum();
                row.iter_mut().zip(other).for_each(|(x, y)| *x -= dot * y);
            }
        }
        let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 1e-3 {
            rows.push(row.iter().map(|x| x / norm).collect());
        }
    }
    let mut result = vec![0.0; rank * rank];
    for (k, row) in rows.iter().enumerate() {
        let exponent = k as f64 / (rank.max(2) - 1) as f64;
        let eigenvalue = condition.powf(-exponent);
        for i in 0..rank {
            for j in 0..rank {
                result[i * rank + j] += eigenvalue * row[i] * row[j];
            }
        }
    }
    result
}

/// Gauss-Jordan with partial pivoting in f64.
fn inverse_f64(matrix: &[f64], rank: usize) -> Vec<f64> {
    let mut left = matrix.to_vec();
    let mut right: Vec<f64> = (0..rank * rank)
        .map(|i| f64::from(u8::from(i % (rank + 1) == 0)))
        .collect();
    for k in 0..rank {
        let pivot = (k..rank)
            .max_by(|&i, &j| {
                left[i * rank + k]
                    .abs()
                    .total_cmp(&left[j * rank + k].abs())
            })
            .unwrap();
        for j in 0..rank {
            left.swap(k * rank + j, pivot * rank + j);
            right.swap(k * rank + j, pivot * rank + j);
        }
        let value = left[k * rank + k];
        for j in 0..rank {
            left[k * rank + j] /= value;
            right[k * rank + j] /= value;
        }
        for i in (0..rank).filter(|&i| i != k) {
            let factor = left[i * rank + k];
            for j in 0..rank {
                left[i * rank + j] -= factor * left[k * rank + j];
                right[i * rank + j] -= factor * right[k * rank + j];
            }
        }
    }
    right
}

everywhere! {
    /// What no f32 algorithm can beat is condition · 2⁻²⁴: rounding the matrix alone moves its
    /// inverse by that much. The bound leaves a factor of 8 for the arithmetic itself.
    async fn agrees_with_f64_for_every_rank_and_condition() {
        let device = device().await;
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for rank in RANKS {
            for condition in [1.0, 1e2, 1e4, 1e6] {
                if rank == 1 && condition > 1.0 {
                    continue;
                }
                // Scales far apart in one batch, as B's Gram matrix is from A's.
                let matrices: Vec<Vec<f64>> = [1e-6, 1.0, 1e3]
                    .into_iter()
                    .map(|scale| {
                        let matrix = matrix(rank, condition, &mut random);
                        matrix.iter().map(|v| f64::from((v * scale) as f32)).collect()
                    })
                    .collect();
                let flat: Vec<f32> = matrices.iter().flatten().map(|&v| v as f32).collect();
                let data = TensorData::new(flat, [matrices.len(), rank, rank]);
                let found = values(inverse(Tensor::from_data(data, &device))).await;
                for (matrix, found) in matrices.iter().zip(found.chunks(rank * rank)) {
                    let expected = inverse_f64(matrix, rank);
                    let pairs = expected.iter().zip(found);
                    let error = norm(pairs.map(|(e, &f)| e - f64::from(f)))
                        / norm(expected.iter().copied());
                    let bound = 8.0 * condition * 2f64.powi(-24);
                    assert!(
                        error <= bound,
                        "rank {rank}, condition {condition:e}: error {error:e} above {bound:e}"
                    );
                }
            }
        }
    }
}

everywhere! {
    /// B is 0 at first, so its damped Gram matrix is δI.
    async fn a_multiple_of_the_identity_is_exact() {
        let device = device().await;
        let damping = 2f32.powi(-20);
        let found = values(inverse(identity(5, &device).mul_scalar(damping))).await;
        let expected = values(identity(5, &device).mul_scalar(2f32.powi(20))).await;
        assert_eq!(found, expected);
    }
}
