//! The data matrix X and the blocks Xᵢ = Dᵢ X of each kind of problem.

use nalgebra::DMatrix;

use super::{INPUTS, PATTERNS, SAMPLES};
use crate::theory::linear_algebra::{geometric, with_condition};
use crate::theory::random::Random;
use crate::theory::settings::{TheoryProblem, TheoryProblemKind};

const DATA_STREAM: u64 = 0;
const PATTERN_STREAM: u64 = 1;

/// X: [n, d] for networks, [d, d] for recovery. Its largest singular value is √2 for sampled
/// patterns, so that blocks of half of its rows are isometries as nearly as they can be, and 1 else.
pub fn data(settings: &TheoryProblem) -> DMatrix<f64> {
    let mut random = Random::new(settings.seed, DATA_STREAM);
    let condition = settings.data_condition;
    match settings.problem {
        TheoryProblemKind::LowRankRecovery => {
            with_condition(INPUTS, INPUTS, INPUTS, condition, &mut random)
        }
        TheoryProblemKind::TwoLayerRelu => {
            with_condition(SAMPLES, INPUTS, INPUTS, condition, &mut random)
                * std::f64::consts::SQRT_2
        }
        TheoryProblemKind::DisjointPatterns => {
            let rows = SAMPLES / PATTERNS;
            let right = random.orthonormal(INPUTS, INPUTS);
            let values = geometric(INPUTS, condition);
            let mut all = DMatrix::zeros(SAMPLES, INPUTS);
            for pattern in 0..PATTERNS {
                let mut left = random.orthonormal(rows, INPUTS);
                for (mut column, value) in left.column_iter_mut().zip(&values) {
                    column *= *value;
                }
                all.rows_mut(pattern * rows, rows)
                    .copy_from(&(left * right.transpose()));
            }
            all
        }
    }
}

/// The blocks Xᵢ.
pub fn blocks(settings: &TheoryProblem) -> Vec<DMatrix<f64>> {
    let data = data(settings);
    match settings.problem {
        TheoryProblemKind::LowRankRecovery => vec![data],
        TheoryProblemKind::TwoLayerRelu => {
            let mut random = Random::new(settings.seed, PATTERN_STREAM);
            (0..PATTERNS)
                .map(|_| {
                    let direction = random.matrix(INPUTS, 1);
                    let active = &data * direction;
                    masked(&data, |row| active[row] >= 0.0)
                })
                .collect()
        }
        TheoryProblemKind::DisjointPatterns => {
            let rows = SAMPLES / PATTERNS;
            (0..PATTERNS)
                .map(|pattern| masked(&data, |row| row / rows == pattern))
                .collect()
        }
    }
}

/// D X: rows that are not active become 0.
fn masked(data: &DMatrix<f64>, active: impl Fn(usize) -> bool) -> DMatrix<f64> {
    let mut block = data.clone();
    for (row, mut values) in block.row_iter_mut().enumerate() {
        if !active(row) {
            values.fill(0.0);
        }
    }
    block
}

/// [X₁ … X_P], [n, P·d].
pub fn side_by_side(blocks: &[DMatrix<f64>]) -> DMatrix<f64> {
    let rows = blocks.first().map_or(0, DMatrix::nrows);
    let mut stacked = DMatrix::zeros(rows, blocks.len() * INPUTS);
    for (term, block) in blocks.iter().enumerate() {
        stacked.columns_mut(term * INPUTS, INPUTS).copy_from(block);
    }
    stacked
}
