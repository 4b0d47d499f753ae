//! LoRA factors of a problem's terms.

use nalgebra::DMatrix;

use super::{INPUTS, OUTPUTS};

/// LoRA factors of one term.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    /// A [r, d].
    pub lora_a: DMatrix<f64>,
    /// B [c, r].
    pub lora_b: DMatrix<f64>,
}

/// Gradients of the factors from that of the stacked change: G_A = Bᵀ G and G_B = G Aᵀ.
pub fn factor_gradients(gradient: &DMatrix<f64>, factors: &[Factors]) -> Vec<Factors> {
    factors
        .iter()
        .enumerate()
        .map(|(term, Factors { lora_a, lora_b })| {
            let transposed = gradient.rows(term * INPUTS, INPUTS);
            Factors {
                lora_a: (transposed * lora_b).transpose(),
                lora_b: (lora_a * transposed).transpose(),
            }
        })
        .collect()
}

/// The best approximation of rank r of a matrix [d, c], as factors with equal Gram matrices.
pub fn best_factors(matrix: nalgebra::DMatrixView<'_, f64>, rank: usize) -> Factors {
    let decomposition = matrix.into_owned().svd(true, true);
    let mut order: Vec<usize> = (0..decomposition.singular_values.len()).collect();
    let values = &decomposition.singular_values;
    order.sort_by(|&one, &other| values[other].total_cmp(&values[one]));
    let mut lora_a = DMatrix::zeros(rank, INPUTS);
    let mut lora_b = DMatrix::zeros(OUTPUTS, rank);
    if let (Some(left), Some(right)) = (&decomposition.u, &decomposition.v_t) {
        for (place, &index) in order.iter().take(rank).enumerate() {
            let root = values[index].sqrt();
            lora_a
                .row_mut(place)
                .copy_from(&(left.column(index).transpose() * root));
            lora_b
                .column_mut(place)
                .copy_from(&(right.row(index).transpose() * root));
        }
    }
    Factors { lora_a, lora_b }
}
