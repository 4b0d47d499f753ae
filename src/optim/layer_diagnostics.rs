//! The numbers of a step by layer, made of the Gram matrices as those of a whole run are.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{log_determinant::log_determinant, precondition::Grams, square::trace};

/// What one step found in each adapted layer of one run, before the update: block by block, in a block in the order of
/// the targets. `None` is a number that is not finite. δ is the run's own, for a plain run the paper's 1e-6.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LayerDiagnostics {
    /// Frobenius norm of `lora_a`.
    pub norm_a: Vec<Option<f32>>,
    /// Frobenius norm of `lora_b`.
    pub norm_b: Vec<Option<f32>>,
    /// Frobenius norm of ΔW.
    pub norm_delta: Vec<Option<f32>>,
    /// Condition number of BᵀB + δI, which preconditions A.
    pub condition_a: Vec<Option<f32>>,
    /// Condition number of AAᵀ + δI, which preconditions B.
    pub condition_b: Vec<Option<f32>>,
    /// Mean of σ² / (σ² + δ) over the singular values σ of `lora_b`: how much of the full-matrix step A's preconditioned
    /// step makes. 0 while B is 0, near 1 where δ is too small to count.
    pub undamped_a: Vec<Option<f32>>,
    /// ln det(AAᵀ + δI) - ln det(BᵀB + δI), which scaled gradient descent without weight decay conserves in the limit of
    /// small steps, whatever the loss: along Ȧ = -(BᵀB + δI)⁻¹ Bᵀ G and Ḃ = -G Aᵀ (AAᵀ + δI)⁻¹ both terms change by
    /// -2 tr((AAᵀ + δI)⁻¹ (BᵀB + δI)⁻¹ Bᵀ G Aᵀ).
    pub log_det_ratio: Vec<Option<f32>>,
}

/// Numbers of all layers of all runs at one step, [K, 1, M / 2] each; layers in the order of a row.
#[derive(Debug, Clone)]
pub struct LayerTable {
    columns: [Tensor<3>; LayerDiagnostics::NUMBERS],
}

impl LayerDiagnostics {
    /// How many numbers there are of a layer.
    pub const NUMBERS: usize = 7;

    /// From what [`LayerTable::tensors`] gave for one run, where `order` says which layer lies at each place.
    pub fn read(values: &[f32], order: &[usize]) -> Self {
        let mut columns = values.chunks_exact(order.len()).map(|column| {
            let mut layers = vec![None; order.len()];
            for (&layer, &value) in order.iter().zip(column) {
                layers[layer] = value.is_finite().then_some(value);
            }
            layers
        });
        let mut next = || columns.next().unwrap_or_default();
        Self {
            norm_a: next(),
            norm_b: next(),
            norm_delta: next(),
            condition_a: next(),
            condition_b: next(),
            undamped_a: next(),
            log_det_ratio: next(),
        }
    }
}

/// Norms and condition numbers of all layers, [K, 1, M / 2] each, of which those of a run are made too.
#[derive(Debug)]
pub struct LayerNumbers {
    /// Of `lora_a`.
    pub norm_a: Tensor<3>,
    /// Of `lora_b`.
    pub norm_b: Tensor<3>,
    /// Of ΔW.
    pub norm_delta: Tensor<3>,
    /// Of BᵀB + δI.
    pub condition_a: Tensor<3>,
    /// Of AAᵀ + δI.
    pub condition_b: Tensor<3>,
}

impl LayerTable {
    /// `numbers` with those that only layers have; see [`super::Diagnostics::new`].
    pub fn new(numbers: LayerNumbers, grams: &Grams, inverses: &Tensor<4>) -> Self {
        let [runs, count, rank, _] = grams.matrices.dims();
        let half = count / 2;
        let of_b = |matrices: &Tensor<4>| {
            let first = matrices.clone().narrow(1, 0, half);
            first.reshape([runs * half, rank, rank])
        };
        // The product's trace: the mean share of its eigenvalues σ² / (σ² + δ).
        let shares = of_b(&grams.matrices).matmul(of_b(inverses));
        let shares = trace(&shares).div_scalar(rank as f64);
        let all = grams.damped.clone().reshape([runs * count, rank, rank]);
        let logarithms = log_determinant(all).reshape([runs, 1, count]);
        let part = |start| logarithms.clone().narrow(2, start, half);
        Self {
            columns: [
                numbers.norm_a,
                numbers.norm_b,
                numbers.norm_delta,
                numbers.condition_a,
                numbers.condition_b,
                shares.reshape([runs, 1, half]),
                part(half) - part(0),
            ],
        }
    }

    /// Column after column, for the step's one read-back; [K, 1, M / 2] each.
    pub fn tensors(self) -> [Tensor<3>; LayerDiagnostics::NUMBERS] {
        self.columns
    }
}
