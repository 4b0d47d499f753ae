//! Targets that a low-rank change makes exactly, and how hard they are.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::error::TheoryError;
use super::linear_algebra::{damped_inverse, geometric, singular_values, with_condition};
use super::random::Random;
use super::settings::{ProblemKind, Settings, Start};

/// Rows n of the data matrix of a network.
pub const SAMPLES: usize = 120;
/// Columns d of the data matrix.
pub const INPUTS: usize = 12;
/// Columns c of the target.
pub const OUTPUTS: usize = 10;
/// Activation patterns P.
pub const PATTERNS: usize = 4;

const DATA_STREAM: u64 = 0;
const PATTERN_STREAM: u64 = 1;
const PLANTED_STREAM: u64 = 2;
const START_STREAM: u64 = 3;

/// LoRA factors of one term.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    /// A [r, d].
    pub lora_a: DMatrix<f64>,
    /// B [c, r].
    pub lora_b: DMatrix<f64>,
}

/// ½‖Σᵢ Xᵢ (Bᵢ Aᵢ)ᵀ − T‖² over the factors of P terms.
///
/// The paper's problem 3 has Xᵢ = Dᵢ X and T = Y − Σᵢ Dᵢ X Wᵢᵀ: the frozen Wᵢ only move the target.
/// T = Σᵢ Xᵢ Mᵢᵀ with planted changes Mᵢ, so that everything follows from E, the stacked
/// (Bᵢ Aᵢ − Mᵢ)ᵀ [P·d, c], and from the Gram matrix H [P·d, P·d] with blocks XᵢᵀXⱼ: the loss is
/// ½⟨E, H E⟩ and the gradient of the stacked change H E. Nothing is lost to cancellation as the
/// error falls.
#[derive(Debug, Clone)]
pub struct Problem {
    settings: Settings,
    blocks: Vec<DMatrix<f64>>,
    gram: DMatrix<f64>,
    planted: DMatrix<f64>,
    target_norm: f64,
    /// S = XᵢᵀXᵢ of each term.
    pub(super) block_grams: Vec<DMatrix<f64>>,
    /// S⁻¹ of each term.
    pub(super) block_inverses: Vec<DMatrix<f64>>,
}

/// What the paper's Assumption 7.2 speaks of, and what the rate really depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(rename = "TheoryGeometry"))]
pub struct Geometry {
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
    /// Draws data, patterns and planted changes.
    ///
    /// # Errors
    /// Settings out of range.
    pub fn new(settings: &Settings) -> Result<Self, TheoryError> {
        settings.check()?;
        let blocks = blocks(settings);
        let terms = blocks.len();
        let stacked = side_by_side(&blocks);
        let gram = stacked.tr_mul(&stacked);
        let mut random = Random::new(settings.seed, PLANTED_STREAM);
        let mut planted = DMatrix::zeros(terms * INPUTS, OUTPUTS);
        for term in 0..terms {
            let change = with_condition(
                INPUTS,
                OUTPUTS,
                settings.rank as usize,
                settings.planted_condition,
                &mut random,
            );
            planted.rows_mut(term * INPUTS, INPUTS).copy_from(&change);
        }
        let block_grams: Vec<_> = blocks.iter().map(|block| block.tr_mul(block)).collect();
        let block_inverses = block_grams
            .iter()
            .map(|gram| {
                // Keeps a pattern with fewer active rows than inputs invertible.
                let least = 1e-12 * gram.trace() / INPUTS as f64;
                damped_inverse(gram.clone(), least)
                    .unwrap_or_else(|| DMatrix::identity(INPUTS, INPUTS))
            })
            .collect();
        let target_norm = quadratic(&gram, &planted).sqrt();
        Ok(Self {
            settings: settings.clone(),
            blocks,
            gram,
            planted,
            target_norm,
            block_grams,
            block_inverses,
        })
    }

    /// What it was made of.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Terms P.
    pub fn terms(&self) -> usize {
        self.blocks.len()
    }

    /// The factors that all methods start from.
    pub fn start(&self) -> Vec<Factors> {
        let rank = self.settings.rank as usize;
        match self.settings.start {
            Start::Lora => {
                let mut random = Random::new(self.settings.seed, START_STREAM);
                let deviation = 1.0 / (INPUTS as f64).sqrt();
                (0..self.terms())
                    .map(|_| Factors {
                        lora_a: random.matrix(rank, INPUTS) * deviation,
                        lora_b: DMatrix::zeros(OUTPUTS, rank),
                    })
                    .collect()
            }
            Start::Spectral => {
                // Xᵢᵀ T for all i: H times the planted changes.
                let correlations = &self.gram * &self.planted;
                (0..self.terms())
                    .map(|term| best_factors(correlations.rows(term * INPUTS, INPUTS), rank))
                    .collect()
            }
        }
    }

    /// The stacked (Bᵢ Aᵢ − Mᵢ)ᵀ [P·d, c].
    pub(super) fn distance(&self, factors: &[Factors]) -> DMatrix<f64> {
        let mut distance = -&self.planted;
        for (term, Factors { lora_a, lora_b }) in factors.iter().enumerate() {
            let mut rows = distance.rows_mut(term * INPUTS, INPUTS);
            rows += lora_a.transpose() * lora_b.transpose();
        }
        distance
    }

    /// Gradient of the loss by the stacked change, [P·d, c], from the distance.
    pub(super) fn gradient(&self, distance: &DMatrix<f64>) -> DMatrix<f64> {
        &self.gram * distance
    }

    /// ‖Σᵢ Xᵢ (Bᵢ Aᵢ)ᵀ − T‖ / ‖T‖ from the distance and its gradient.
    pub(super) fn relative_error(&self, distance: &DMatrix<f64>, gradient: &DMatrix<f64>) -> f64 {
        distance.dot(gradient).max(0.0).sqrt() / self.target_norm
    }

    /// Gradients of all factors, in the shapes of the factors.
    pub fn gradients(&self, factors: &[Factors]) -> Vec<Factors> {
        let gradient = self.gradient(&self.distance(factors));
        factor_gradients(&gradient, factors)
    }

    /// ½‖Σᵢ Xᵢ (Bᵢ Aᵢ)ᵀ − T‖², from its definition.
    pub fn loss(&self, factors: &[Factors]) -> f64 {
        let distance = self.distance(factors);
        let residual = side_by_side(&self.blocks) * distance;
        0.5 * residual.norm_squared()
    }

    /// Root mean square over the terms of ‖Bᵢ Aᵢ − Mᵢ‖ / ‖Mᵢ‖: whether the changes themselves were
    /// found, and not only what they do to this data.
    pub fn recovery_error(&self, factors: &[Factors]) -> f64 {
        self.distance(factors).norm() / self.planted.norm()
    }

    /// How hard it is.
    pub fn geometry(&self) -> Geometry {
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
        Geometry {
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

/// Gradients of the factors from that of the stacked change: G_A = Bᵀ G and G_B = G Aᵀ.
pub(super) fn factor_gradients(gradient: &DMatrix<f64>, factors: &[Factors]) -> Vec<Factors> {
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

/// X: [n, d] for networks, [d, d] for recovery. Its largest singular value is √2 for sampled
/// patterns, so that blocks of half of its rows are isometries as nearly as they can be, and 1 else.
fn data(settings: &Settings) -> DMatrix<f64> {
    let mut random = Random::new(settings.seed, DATA_STREAM);
    let condition = settings.data_condition;
    match settings.problem {
        ProblemKind::LowRankRecovery => {
            with_condition(INPUTS, INPUTS, INPUTS, condition, &mut random)
        }
        ProblemKind::TwoLayerRelu => {
            with_condition(SAMPLES, INPUTS, INPUTS, condition, &mut random)
                * std::f64::consts::SQRT_2
        }
        ProblemKind::DisjointPatterns => {
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
fn blocks(settings: &Settings) -> Vec<DMatrix<f64>> {
    let data = data(settings);
    match settings.problem {
        ProblemKind::LowRankRecovery => vec![data],
        ProblemKind::TwoLayerRelu => {
            let mut random = Random::new(settings.seed, PATTERN_STREAM);
            (0..PATTERNS)
                .map(|_| {
                    let direction = random.matrix(INPUTS, 1);
                    let active = &data * direction;
                    masked(&data, |row| active[row] >= 0.0)
                })
                .collect()
        }
        ProblemKind::DisjointPatterns => {
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

fn side_by_side(blocks: &[DMatrix<f64>]) -> DMatrix<f64> {
    let rows = blocks.first().map_or(0, DMatrix::nrows);
    let mut stacked = DMatrix::zeros(rows, blocks.len() * INPUTS);
    for (term, block) in blocks.iter().enumerate() {
        stacked.columns_mut(term * INPUTS, INPUTS).copy_from(block);
    }
    stacked
}

/// ⟨E, H E⟩.
fn quadratic(gram: &DMatrix<f64>, change: &DMatrix<f64>) -> f64 {
    change.dot(&(gram * change))
}

/// The best approximation of rank r of a matrix [d, c], as factors with equal Gram matrices.
fn best_factors(matrix: nalgebra::DMatrixView<'_, f64>, rank: usize) -> Factors {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(problem: ProblemKind) -> Settings {
        Settings {
            problem,
            planted_condition: 30.0,
            data_condition: 7.0,
            rank: 3,
            ..Settings::default()
        }
    }

    const KINDS: [ProblemKind; 3] = [
        ProblemKind::LowRankRecovery,
        ProblemKind::TwoLayerRelu,
        ProblemKind::DisjointPatterns,
    ];

    /// Factors away from the start, where B is 0.
    fn anywhere(problem: &Problem) -> Vec<Factors> {
        let mut random = Random::new(9, 9);
        let rank = problem.settings().rank as usize;
        (0..problem.terms())
            .map(|_| Factors {
                lora_a: random.matrix(rank, INPUTS),
                lora_b: random.matrix(OUTPUTS, rank),
            })
            .collect()
    }

    #[test]
    fn condition_numbers_are_what_was_asked_for() -> Result<(), TheoryError> {
        for kind in KINDS {
            let geometry = Problem::new(&settings(kind))?.geometry();
            assert!(
                (geometry.planted_condition / 30.0 - 1.0).abs() < 1e-9,
                "{geometry:?}"
            );
            assert!(
                (geometry.data_condition / 7.0 - 1.0).abs() < 1e-9,
                "{geometry:?}"
            );
            assert!(geometry.stacked_condition >= geometry.block_condition * (1.0 - 1e-9));
        }
        Ok(())
    }

    #[test]
    fn the_theorem_s_assumption_holds_where_it_should() -> Result<(), TheoryError> {
        let with = |problem| Settings {
            problem,
            ..Settings::default()
        };
        let geometry = Problem::new(&with(ProblemKind::DisjointPatterns))?.geometry();
        assert!(geometry.isometry_constant < 1e-9 && geometry.overlap < 1e-9);
        let geometry = Problem::new(&with(ProblemKind::TwoLayerRelu))?.geometry();
        assert!(geometry.isometry_constant > ALLOWED_ISOMETRY_CONSTANT);
        assert!(geometry.overlap > geometry.allowed_overlap);
        Ok(())
    }

    #[test]
    fn the_loss_from_its_definition_is_the_error_from_gram_matrices() -> Result<(), TheoryError> {
        for kind in KINDS {
            let problem = Problem::new(&settings(kind))?;
            let factors = anywhere(&problem);
            let distance = problem.distance(&factors);
            let error = problem.relative_error(&distance, &problem.gradient(&distance));
            let loss = 0.5 * (error * problem.target_norm).powi(2);
            assert!((loss / problem.loss(&factors) - 1.0).abs() < 1e-10);
        }
        Ok(())
    }

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<(), TheoryError> {
        for kind in KINDS {
            let problem = Problem::new(&settings(kind))?;
            let factors = anywhere(&problem);
            let gradients = problem.gradients(&factors);
            let step = 1e-5;
            let slope = |change: &dyn Fn(&mut Vec<Factors>, f64)| {
                let at = |by: f64| {
                    let mut moved = factors.clone();
                    change(&mut moved, by);
                    problem.loss(&moved)
                };
                (at(step) - at(-step)) / (2.0 * step)
            };
            for (term, gradient) in gradients.iter().enumerate() {
                for (row, column) in [(0, 0), (1, 5), (2, 11)] {
                    let found = slope(&|f, by| f[term].lora_a[(row, column)] += by);
                    let wanted = gradient.lora_a[(row, column)];
                    assert!(
                        (found - wanted).abs() < 1e-5 * (1.0 + wanted.abs()),
                        "A {kind:?}"
                    );
                }
                for (row, column) in [(0, 0), (4, 1), (9, 2)] {
                    let found = slope(&|f, by| f[term].lora_b[(row, column)] += by);
                    let wanted = gradient.lora_b[(row, column)];
                    assert!(
                        (found - wanted).abs() < 1e-5 * (1.0 + wanted.abs()),
                        "B {kind:?}"
                    );
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_spectral_start_is_the_solution_where_blocks_are_isometries() -> Result<(), TheoryError> {
        let problem = Problem::new(&Settings {
            problem: ProblemKind::DisjointPatterns,
            start: Start::Spectral,
            planted_condition: 10.0,
            ..Settings::default()
        })?;
        assert!(problem.recovery_error(&problem.start()) < 1e-9);
        Ok(())
    }

    #[test]
    fn settings_out_of_range_name_their_field() {
        let good = Settings::default();
        let wrong = [
            (
                Settings {
                    rank: 0,
                    ..good.clone()
                },
                "rank",
            ),
            (
                Settings {
                    rank: 11,
                    ..good.clone()
                },
                "rank",
            ),
            (
                Settings {
                    planted_condition: f64::NAN,
                    ..good.clone()
                },
                "planted_condition",
            ),
            (
                Settings {
                    data_condition: 0.5,
                    ..good.clone()
                },
                "data_condition",
            ),
            (
                Settings {
                    damping: 0.0,
                    ..good.clone()
                },
                "damping",
            ),
        ];
        for (settings, field) in wrong {
            let error = Problem::new(&settings).expect_err(field);
            assert_eq!(error.field(), field);
            assert!(error.to_string().starts_with(&format!("{field} must be ")));
        }
        assert!(Problem::new(&good).is_ok());
    }
}
