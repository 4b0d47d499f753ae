//! What a step did to each run, in a few numbers that cost little: they are made of the Gram
//! matrices, which are there already.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{elements::sum_of_elements, precondition::Grams, square::trace};

/// Squarings of a matrix on the way to its largest eigenvalue: its 32nd power.
const SQUARINGS: usize = 5;

/// Number of columns of [`Diagnostics::table`].
const COLUMNS: usize = 6;

/// What one step did to one run: factors before the update, as the loss is. `None` is a number
/// that is not finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RunDiagnostics {
    /// Frobenius norm of all `lora_a` together.
    pub norm_a: Option<f64>,
    /// Frobenius norm of all `lora_b` together.
    pub norm_b: Option<f64>,
    /// Frobenius norm of all ΔW = alpha / r · B · A together.
    pub norm_delta: Option<f64>,
    /// Condition number of BᵀB + δI, which preconditions A; the largest over all layers.
    pub condition_a: Option<f64>,
    /// Condition number of AAᵀ + δI, which preconditions B; the largest over all layers.
    pub condition_b: Option<f64>,
    /// Norm of the update over the norm of the factors.
    pub update_ratio: Option<f64>,
}

/// Numbers of all runs at one step, [K, 1, 1] each. Factors are those before the update, as the
/// loss is.
#[derive(Debug, Clone)]
pub struct Diagnostics {
    norm_a: Tensor<3>,
    norm_b: Tensor<3>,
    norm_delta: Tensor<3>,
    condition_a: Tensor<3>,
    condition_b: Tensor<3>,
    squared_change: Option<Tensor<3>>,
}

impl Diagnostics {
    /// From the Gram matrices of both factors ([`Grams::of_both`]) and their inverses. `scale` is
    /// alpha / r.
    ///
    /// ‖BA‖² is Σ (BᵀB ∘ AAᵀ), so ΔW is not made.
    pub fn new(grams: &Grams, inverses: &Tensor<4>, scale: f64) -> Self {
        let [runs, count, rank, _] = grams.matrices.dims();
        let half = count / 2;
        let all = |matrices: &Tensor<4>| matrices.clone().reshape([runs * count, rank, rank]);
        let product = grams.matrices.clone().narrow(1, 0, half)
            * grams.matrices.clone().narrow(1, half, half); // [K, M/2, r, r]
        let product = sum_of_elements(product.reshape([runs, half, rank * rank]));
        let traces = trace(&all(&grams.matrices)).reshape([runs, 1, count]);
        let conditions = condition_numbers(&all(&grams.damped), &all(inverses));
        let conditions = conditions.reshape([runs, 1, count]);
        let norm = |start| traces.clone().narrow(2, start, half).sum_dim(2).sqrt();
        let largest = |start| conditions.clone().narrow(2, start, half).max_dim(2);
        Self {
            norm_a: norm(half),
            norm_b: norm(0),
            norm_delta: product.sqrt().mul_scalar(scale),
            condition_a: largest(0),
            condition_b: largest(half),
            squared_change: None,
        }
    }

    /// Takes in how a factor changed.
    ///
    /// # Shapes
    /// - `change`: [K, ·, ·]
    pub fn add_change(&mut self, change: Tensor<3>) {
        let squares = sum_of_elements(change.square());
        self.squared_change = Some(match self.squared_change.take() {
            None => squares,
            Some(sum) => sum + squares,
        });
    }

    /// All numbers as one tensor, for the step's one read-back.
    ///
    /// # Shapes
    /// - result: [K, 1, 6]
    pub fn table(self) -> Tensor<3> {
        let size = self.norm_a.clone().square() + self.norm_b.clone().square();
        let change = match self.squared_change {
            None => self.norm_a.zeros_like(),
            Some(squares) => (squares / size).sqrt(),
        };
        Tensor::cat(
            vec![
                self.norm_a,
                self.norm_b,
                self.norm_delta,
                self.condition_a,
                self.condition_b,
                change,
            ],
            2,
        )
    }

    /// The values of [`Diagnostics::table`], run by run.
    pub fn read(values: &[f32]) -> Vec<RunDiagnostics> {
        let finite = |value: f32| value.is_finite().then_some(f64::from(value));
        let (rows, _) = values.as_chunks::<COLUMNS>();
        rows.iter()
            .map(|row| RunDiagnostics {
                norm_a: finite(row[0]),
                norm_b: finite(row[1]),
                norm_delta: finite(row[2]),
                condition_a: finite(row[3]),
                condition_b: finite(row[4]),
                update_ratio: finite(row[5]),
            })
            .collect()
    }
}

/// Largest over smallest eigenvalue of symmetric positive definite matrices.
///
/// # Shapes
/// - `matrices`, `inverses`: [N, r, r]
/// - result: [N, 1, 1]
pub fn condition_numbers(matrices: &Tensor<3>, inverses: &Tensor<3>) -> Tensor<3> {
    let count = matrices.dims()[0];
    let both = Tensor::cat(vec![matrices.clone(), inverses.clone()], 0);
    let largest = largest_eigenvalues(both); // [2N, 1, 1]
    largest.clone().narrow(0, 0, count) * largest.narrow(0, count, count)
}

/// The largest eigenvalue λ of each matrix, as tr(M³³) / tr(M³²).
///
/// It is never above λ, and below it by at most what the other eigenvalues can do: 3 % at r = 8,
/// 7 % at r = 64, nothing where λ stands alone. Powers are of matrices with a trace of 1.
fn largest_eigenvalues(matrices: Tensor<3>) -> Tensor<3> {
    let first_trace = trace(&matrices);
    let normal = matrices / first_trace.clone();
    let mut power = normal.clone();
    for _ in 0..SQUARINGS {
        power = power.clone().matmul(power);
        let size = trace(&power);
        power = power / size;
    }
    sum_of_elements(power * normal) * first_trace
}
