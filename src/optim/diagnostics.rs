//! What a step did to each run, in a few numbers that cost little: they are made of the Gram
//! matrices, which are there already.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{
    LayerDiagnostics,
    elements::sum_of_elements,
    layer_diagnostics::{LayerNumbers, LayerTable},
    precondition::Grams,
    square::trace,
};

/// Squarings of a matrix on the way to its largest eigenvalue: its 32nd power.
const SQUARINGS: usize = 5;

/// Number of columns of [`Diagnostics::table`] without layers.
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
    /// Mean over layers of ln det(AAᵀ + δI) - ln det(BᵀB + δI), see [`LayerDiagnostics`]; `None` where layers are not
    /// measured.
    #[serde(default)]
    pub log_det_ratio: Option<f64>,
    /// Each layer's own; `None` where that was not asked for.
    #[serde(default)]
    pub layers: Option<LayerDiagnostics>,
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
    layers: Option<LayerTable>,
}

impl Diagnostics {
    /// From the Gram matrices of both factors ([`Grams::of_both`]) and their inverses. `scale` is
    /// alpha / r; `by_layer` keeps each layer's own numbers, too.
    ///
    /// ‖BA‖² is Σ (BᵀB ∘ AAᵀ), so ΔW is not made.
    pub fn new(grams: &Grams, inverses: &Tensor<4>, scale: f64, by_layer: bool) -> Self {
        let [runs, count, rank, _] = grams.matrices.dims();
        let half = count / 2;
        let all = |matrices: &Tensor<4>| matrices.clone().reshape([runs * count, rank, rank]);
        let product = grams.matrices.clone().narrow(1, 0, half)
            * grams.matrices.clone().narrow(1, half, half); // [K, M/2, r, r]
        let products = product
            .reshape([runs * half, rank * rank, 1])
            .sum_dim(1)
            .reshape([runs, 1, half]);
        let traces = trace(&all(&grams.matrices)).reshape([runs, 1, count]);
        let conditions = condition_numbers(&all(&grams.damped), &all(inverses));
        let conditions = conditions.reshape([runs, 1, count]);
        let of_layers = |all: &Tensor<3>, start| all.clone().narrow(2, start, half); // [K, 1, M/2]
        let norm = |squares: Tensor<3>| squares.sum_dim(2).sqrt();
        let layers = by_layer.then(|| {
            let numbers = LayerNumbers {
                norm_a: of_layers(&traces, half).sqrt(),
                norm_b: of_layers(&traces, 0).sqrt(),
                norm_delta: products.clone().sqrt().mul_scalar(scale),
                condition_a: of_layers(&conditions, 0),
                condition_b: of_layers(&conditions, half),
            };
            LayerTable::new(numbers, grams, inverses)
        });
        Self {
            norm_a: norm(of_layers(&traces, half)),
            norm_b: norm(of_layers(&traces, 0)),
            norm_delta: norm(products).mul_scalar(scale),
            condition_a: of_layers(&conditions, 0).max_dim(2),
            condition_b: of_layers(&conditions, half).max_dim(2),
            squared_change: None,
            layers,
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
    /// - result: [K, 1, 6], with layers [K, 1, 6 + 7 · M / 2]
    pub fn table(self) -> Tensor<3> {
        let size = self.norm_a.clone().square() + self.norm_b.clone().square();
        let change = match self.squared_change {
            None => self.norm_a.zeros_like(),
            Some(squares) => (squares / size).sqrt(),
        };
        let mut columns = vec![
            self.norm_a,
            self.norm_b,
            self.norm_delta,
            self.condition_a,
            self.condition_b,
            change,
        ];
        columns.extend(self.layers.into_iter().flat_map(LayerTable::tensors));
        Tensor::cat(columns, 2)
    }

    /// The values of one run in [`Diagnostics::table`]; `order` says which layer lies at each place of a row.
    pub fn read(row: &[f32], order: &[usize]) -> RunDiagnostics {
        let finite = |value: f32| value.is_finite().then_some(f64::from(value));
        let (run, layers) = row.split_at(COLUMNS);
        let layers = (!layers.is_empty()).then(|| LayerDiagnostics::read(layers, order));
        RunDiagnostics {
            norm_a: finite(run[0]),
            norm_b: finite(run[1]),
            norm_delta: finite(run[2]),
            condition_a: finite(run[3]),
            condition_b: finite(run[4]),
            update_ratio: finite(run[5]),
            log_det_ratio: layers
                .as_ref()
                .and_then(|layers| mean(&layers.log_det_ratio)),
            layers,
        }
    }
}

/// The mean of all; `None` where one is missing.
fn mean(values: &[Option<f32>]) -> Option<f64> {
    let sum: Option<f64> = values.iter().map(|value| value.map(f64::from)).sum();
    Some(sum? / values.len() as f64)
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
