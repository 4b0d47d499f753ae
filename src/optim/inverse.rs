//! Inverses of many small symmetric positive definite matrices at once.

use burn::tensor::{Device, Tensor, TensorData};

/// The inverse of every matrix of a batch, exact to the precision of its elements.
///
/// The matrices are scaled to a unit diagonal, which costs nothing in accuracy and removes bad
/// conditioning that is due to scale alone (van der Sluis 1969), and then swept pivot by pivot
/// (the sweep operator, Goodnight 1979). A sweep of a positive definite matrix needs no pivoting:
/// every pivot is the Schur complement of the ones before and positive. r sweeps of one rank-one
/// update each, whatever the condition number: nothing iterates to convergence and nothing is read
/// back from the device.
///
/// # Shapes
/// - `matrices`: [N, r, r], result the same
pub fn inverse(matrices: Tensor<3>) -> Tensor<3> {
    let [count, rank, _] = matrices.dims();
    let device = matrices.device();
    let basis = identity(rank, &device); // [1, r, r]

    let diagonal = (matrices.clone() * basis.clone()).sum_dim(2); // [N, r, 1]
    let scale = diagonal.sqrt().recip();
    let scales = scale.clone() * scale.swap_dims(1, 2); // [N, r, r]
    let mut swept = matrices * scales.clone();
    for pivot in 0..rank {
        let column = swept.clone().narrow(2, pivot, 1); // [N, r, 1]
        let value = column.clone().narrow(1, pivot, 1); // [N, 1, 1]
        let unit = basis.clone().narrow(2, pivot, 1); // [1, r, 1]
        // With the pivot's own entry less 1, one rank-one update makes the whole sweep, but for
        // 2 on the diagonal that is taken off at the end.
        let column = column - unit;
        let row = column.clone().swap_dims(1, 2) / value; // [N, 1, r]
        swept = swept - column.expand([count, rank, rank]) * row.expand([count, rank, rank]);
    }
    (basis.mul_scalar(2.0) - swept) * scales
}

/// The identity matrix, [1, r, r].
pub fn identity(rank: usize, device: &Device) -> Tensor<3> {
    let mut values = vec![0.0_f32; rank * rank];
    values.iter_mut().step_by(rank + 1).for_each(|v| *v = 1.0);
    Tensor::from_data(TensorData::new(values, [1, rank, rank]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

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

    fn norm(values: impl Iterator<Item = f64>) -> f64 {
        values.map(|v| v * v).sum::<f64>().sqrt()
    }

    /// What no f32 algorithm can beat is condition · 2⁻²⁴: rounding the matrix alone moves its
    /// inverse by that much. The bound leaves a factor of 8 for the arithmetic itself.
    #[test]
    fn agrees_with_f64_for_every_rank_and_condition() {
        let device = Device::flex();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for rank in 1..=64 {
            for condition in [1.0, 1e2, 1e4, 1e6] {
                if rank == 1 && condition > 1.0 {
                    continue;
                }
                let batch = 3;
                let matrices: Vec<Vec<f64>> = (0..batch)
                    .map(|i| {
                        // Scales far apart in one batch, as B's Gram matrix is from A's.
                        let scale = [1e-6, 1.0, 1e3][i];
                        let matrix = matrix(rank, condition, &mut random);
                        matrix
                            .iter()
                            .map(|v| f64::from((v * scale) as f32))
                            .collect()
                    })
                    .collect();
                let flat: Vec<f32> = matrices.iter().flatten().map(|&v| v as f32).collect();
                let tensor = Tensor::from_data(TensorData::new(flat, [batch, rank, rank]), &device);
                let found: Vec<f32> = inverse(tensor).into_data().iter().collect();
                for (matrix, found) in matrices.iter().zip(found.chunks(rank * rank)) {
                    let expected = inverse_f64(matrix, rank);
                    let error = norm(expected.iter().zip(found).map(|(e, &f)| e - f64::from(f)))
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

    #[test]
    fn a_multiple_of_the_identity_is_exact() {
        let device = Device::flex();
        let damping = 2f32.powi(-20);
        let matrices = identity(5, &device).mul_scalar(damping);
        let expected = identity(5, &device).mul_scalar(2f32.powi(20));
        inverse(matrices)
            .into_data()
            .assert_eq(&expected.into_data(), true);
    }
}
