//! How hard a problem is, and what the theorem asks of it.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::blocks::{data, side_by_side};
use super::{INPUTS, Problem};
use crate::theory::linear_algebra::singular_values;

/// What the paper's Assumption 7.2 speaks of, and what the rate really depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TheoryGeometry {
    /// Condition number of the planted changes, by singular value decomposition.
    pub planted_condition: f64,
    /// Condition number of X.
    pub data_condition: f64,
    /// Largest condition number of a block Xᵢ.
    pub block_condition: f64,
    /// Condition number of all blocks side by side, [n, P·d].
    pub stacked_condition: f64,
    /// The smallest constant with which all blocks have the restricted isometry property, after the
    /// best common scale: (κ² − 1) / (κ² + 1) at rank 1 and at every rank, because a block acts on
    /// each column of a matrix alone.
    pub isometry_constant: f64,
    /// Largest spectral norm of XᵢᵀXⱼ, i ≠ j, at that scale.
    pub overlap: f64,
    /// What Assumption 7.2 allows for it, whatever the changes are: 0.12 / (7 P (P + 1)).
    pub allowed_overlap: f64,
}

/// The constant that Theorem 7.4 allows.
pub const ALLOWED_ISOMETRY_CONSTANT: f64 = 0.01;

impl Problem {
    /// How hard it is.
    pub fn geometry(&self) -> TheoryGeometry {
        let condition = |matrix: &DMatrix<f64>| {
            let values = singular_values(matrix);
            condition_of(&values, matrix.ncols())
        };
        let rank = self.settings.rank as usize;
        let planted_condition = (0..self.terms())
            .map(|term| {
                let change = self.planted.rows(term * INPUTS, INPUTS).into_owned();
                condition_of(&singular_values(&change), rank)
            })
            .fold(1.0, f64::max);
        let block_values: Vec<_> = self.blocks.iter().map(singular_values).collect();
        let largest = block_values.iter().map(|v| v[0]).fold(0.0, f64::max);
        let smallest = block_values
            .iter()
            .map(|v| v[INPUTS - 1])
            .fold(f64::INFINITY, f64::min);
        // The scale at which the squared singular values lie evenly around 1.
        let middle = (largest * largest + smallest * smallest) / 2.0;
        let mut overlap = 0.0f64;
        for one in 0..self.terms() {
            for other in 0..one {
                let part = self
                    .gram
                    .view((one * INPUTS, other * INPUTS), (INPUTS, INPUTS));
                overlap = overlap.max(singular_values(&part.into_owned())[0] / middle);
            }
        }
        let terms = self.terms() as f64;
        TheoryGeometry {
            planted_condition,
            data_condition: condition(&data(&self.settings)),
            block_condition: block_values
                .iter()
                .map(|values| condition_of(values, INPUTS))
                .fold(1.0, f64::max),
            stacked_condition: condition(&side_by_side(&self.blocks)),
            isometry_constant: (largest * largest - smallest * smallest) / (2.0 * middle),
            overlap,
            allowed_overlap: 0.12 / (7.0 * terms * (terms + 1.0)),
        }
    }
}

fn condition_of(values: &[f64], count: usize) -> f64 {
    match (values.first(), values.get(count - 1)) {
        (Some(largest), Some(smallest)) => largest / smallest,
        _ => f64::INFINITY,
    }
}
