//! What a run's factors look like, from their values in f64.

use anyhow::{Result, anyhow};
use nalgebra::{DMatrix, SymmetricEigen};
use riemann_lora::model::Adapters;
use serde::{Deserialize, Serialize};

use super::finished::rounded;

/// The factors of one run after a step, over all layers. Numbers have five figures; `None` is one that is not finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Factors {
    /// Steps done.
    pub step: u32,
    /// Global L2 norm of the raw gradients of that step.
    pub grad_norm: Option<f64>,
    /// Frobenius norm of all `lora_a` together.
    pub norm_a: Option<f64>,
    /// Frobenius norm of all `lora_b` together.
    pub norm_b: Option<f64>,
    /// Frobenius norm of all ΔW together.
    pub norm_delta: Option<f64>,
    /// Condition number of AAᵀ; the largest over all layers.
    pub condition_aat: Option<f64>,
    /// Condition number of BᵀB; the largest over all layers.
    pub condition_btb: Option<f64>,
    /// Singular values of `lora_b` over all layers: smallest, median, largest.
    pub sigma_b: [Option<f64>; 3],
    /// log det(AAᵀ + δI) − log det(BᵀB + δI), which scaled gradient flow conserves, as the mean over layers; of
    /// preconditioned runs.
    pub log_det: Option<f64>,
}

/// The runs' factors. `damping` is δ of each run, `None` where it has no preconditioner.
///
/// # Errors
/// A device that failed.
pub async fn factors(
    adapters: &Adapters,
    step: u32,
    damping: &[Option<f64>],
) -> Result<Vec<Factors>> {
    let rank = adapters.shape.rank;
    let mut layers: Vec<Vec<Layer>> = vec![Vec::new(); adapters.runs];
    for bank in adapters.blocks.iter().flatten() {
        let [_, outputs, _] = bank.b.dims();
        let [_, _, inputs] = bank.a.dims();
        let a: Vec<f32> = values(bank.a.clone()).await?;
        let b: Vec<f32> = values(bank.b.clone()).await?;
        for (run, layers) in layers.iter_mut().enumerate() {
            let matrix = |values: &[f32], rows: usize, columns: usize| {
                let own = &values[run * rows * columns..(run + 1) * rows * columns];
                DMatrix::from_row_iterator(rows, columns, own.iter().copied().map(f64::from))
            };
            let (a, b) = (matrix(&a, rank, inputs), matrix(&b, outputs, rank));
            layers.push(Layer::new(&a, &b));
        }
    }
    let scale = adapters.shape.scale();
    Ok(layers
        .iter()
        .zip(damping)
        .map(|(layers, damping)| over(layers, step, *damping, scale))
        .collect())
}

async fn values(tensor: burn::tensor::Tensor<3>) -> Result<Vec<f32>> {
    let data = tensor.into_data_async().await;
    let data = data.map_err(|error| anyhow!("{error}"))?;
    Ok(data.iter::<f32>().collect())
}

/// Eigenvalues of one layer's Gram matrices, rising, and ‖BA‖².
#[derive(Debug, Clone)]
struct Layer {
    aat: Vec<f64>,
    btb: Vec<f64>,
    squared_product: f64,
}

impl Layer {
    fn new(a: &DMatrix<f64>, b: &DMatrix<f64>) -> Self {
        let (aat, btb) = (a * a.transpose(), b.transpose() * b);
        Self {
            squared_product: aat.component_mul(&btb).sum(),
            aat: eigenvalues(aat),
            btb: eigenvalues(btb),
        }
    }
}

/// Rising, and none below 0 by rounding; NaN where the matrix is not finite.
fn eigenvalues(matrix: DMatrix<f64>) -> Vec<f64> {
    if !matrix.iter().all(|value| value.is_finite()) {
        return vec![f64::NAN; matrix.nrows()];
    }
    let values = SymmetricEigen::new(matrix).eigenvalues;
    let mut values: Vec<f64> = values.iter().map(|value| value.max(0.0)).collect();
    values.sort_by(f64::total_cmp);
    values
}

fn over(layers: &[Layer], step: u32, damping: Option<f64>, scale: f64) -> Factors {
    let norm = |of: fn(&Layer) -> &Vec<f64>| {
        let sum: f64 = layers.iter().flat_map(of).sum();
        finite(sum.sqrt())
    };
    let condition = |of: fn(&Layer) -> &Vec<f64>| {
        let conditions = layers.iter().map(|layer| {
            let values = of(layer);
            values.last().unwrap_or(&f64::NAN) / values.first().unwrap_or(&f64::NAN)
        });
        // NaN, of a factor that is 0 or not finite, must not be passed over.
        let largest = conditions.fold(0.0, |largest: f64, next| {
            if next.is_nan() || next > largest {
                next
            } else {
                largest
            }
        });
        finite(largest)
    };
    let mut sigma: Vec<f64> = layers
        .iter()
        .flat_map(|layer| &layer.btb)
        .copied()
        .collect();
    sigma.iter_mut().for_each(|value| *value = value.sqrt());
    sigma.sort_by(f64::total_cmp);
    let sigma_at = |index: usize| sigma.get(index).copied().and_then(finite);
    let log_det = damping.and_then(|damping| {
        let log_det =
            |values: &[f64]| -> f64 { values.iter().map(|value| (value + damping).ln()).sum() };
        let sum: f64 = layers
            .iter()
            .map(|layer| log_det(&layer.aat) - log_det(&layer.btb))
            .sum();
        finite(sum / layers.len() as f64)
    });
    let squared: f64 = layers.iter().map(|layer| layer.squared_product).sum();
    Factors {
        step,
        grad_norm: None,
        norm_a: norm(|layer| &layer.aat),
        norm_b: norm(|layer| &layer.btb),
        norm_delta: finite(scale * squared.max(0.0).sqrt()),
        condition_aat: condition(|layer| &layer.aat),
        condition_btb: condition(|layer| &layer.btb),
        sigma_b: [0, sigma.len() / 2, sigma.len().saturating_sub(1)].map(sigma_at),
        log_det,
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then(|| rounded(value))
}

/// Steps after which factors are looked at: the first ones, then ever rarer, and the last.
pub fn is_logged(step: u32, steps: u32) -> bool {
    let mut next = 1;
    while next < step {
        next = (next + 1).max(next * 3 / 2);
    }
    next == step || step == steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_a_diagonal_example() {
        // A = diag(2, 1) in 2 × 3, B = diag(3, 0.5) in 3 × 2: BA = diag(6, 0.5).
        let a = DMatrix::from_row_slice(2, 3, &[2.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        let b = DMatrix::from_row_slice(3, 2, &[3.0, 0.0, 0.0, 0.5, 0.0, 0.0]);
        let found = over(&[Layer::new(&a, &b)], 7, Some(1.0), 8.0);
        assert_eq!(found.norm_a, Some(2.2361));
        assert_eq!(found.norm_b, Some(3.0414));
        assert_eq!(found.norm_delta, Some(48.166));
        assert_eq!(found.condition_aat, Some(4.0));
        assert_eq!(found.condition_btb, Some(36.0));
        assert_eq!(found.sigma_b, [Some(0.5), Some(3.0), Some(3.0)]);
        // log(5 · 2) − log(10 · 1.25)
        assert_eq!(found.log_det, Some(-0.22314));
        assert_eq!(over(&[Layer::new(&a, &b)], 7, None, 8.0).log_det, None);
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let a = DMatrix::from_element(1, 4, 1.0);
        let fresh = over(&[Layer::new(&a, &DMatrix::zeros(2, 1))], 0, None, 1.0);
        assert_eq!((fresh.norm_b, fresh.condition_btb), (Some(0.0), None));
        let burst = DMatrix::from_element(2, 1, f64::INFINITY);
        let burst = over(&[Layer::new(&a, &burst)], 0, Some(1.0), 1.0);
        assert_eq!(
            (burst.norm_b, burst.log_det, burst.sigma_b[2]),
            (None, None, None)
        );
        assert_eq!(burst.norm_a, Some(2.0));
    }

    #[test]
    fn the_first_steps_are_logged_and_the_last() {
        let logged: Vec<u32> = (1..=50).filter(|step| is_logged(*step, 50)).collect();
        assert_eq!(logged, [1, 2, 3, 4, 6, 9, 13, 19, 28, 42, 50]);
    }
}
