//! Targets that a low-rank change makes exactly.

mod blocks;
mod factors;
mod geometry;

use nalgebra::{DMatrix, DVector};

use self::blocks::{blocks, side_by_side};
pub use self::factors::Factors;
use self::factors::best_factors;
pub(super) use self::factors::factor_gradients;
pub use self::geometry::{ALLOWED_ISOMETRY_CONSTANT, TheoryGeometry};
use super::error::TheoryError;
use super::linear_algebra::{damped_inverse, geometric, with_condition};
use super::random::Random;
use super::settings::{TheoryProblem, TheoryStart};

/// Rows n of the data matrix of a network.
pub const SAMPLES: usize = 120;
/// Columns d of the data matrix.
pub const INPUTS: usize = 12;
/// Columns c of the target.
pub const OUTPUTS: usize = 10;
/// Activation patterns P.
pub const PATTERNS: usize = 4;

const PLANTED_STREAM: u64 = 2;
const START_STREAM: u64 = 3;
const FACTORS_STREAM: u64 = 4;

/// ½‖Σᵢ Xᵢ (Bᵢ Aᵢ)ᵀ − T‖² over the factors of P terms.
///
/// The paper's problem 3 has Xᵢ = Dᵢ X and T = Y − Σᵢ Dᵢ X Wᵢᵀ: the frozen Wᵢ only move the target.
/// T = Σᵢ Xᵢ Mᵢᵀ with planted changes Mᵢ, so that everything follows from E, the stacked
/// (Bᵢ Aᵢ − Mᵢ)ᵀ [P·d, c], and from the Gram matrix H [P·d, P·d] with blocks XᵢᵀXⱼ: the loss is
/// ½⟨E, H E⟩ and the gradient of the stacked change H E. Nothing is lost to cancellation as the
/// error falls.
#[derive(Debug, Clone)]
pub struct Problem {
    settings: TheoryProblem,
    blocks: Vec<DMatrix<f64>>,
    gram: DMatrix<f64>,
    planted: DMatrix<f64>,
    target_norm: f64,
    /// S = XᵢᵀXᵢ of each term.
    pub(super) block_grams: Vec<DMatrix<f64>>,
    /// S⁻¹ of each term.
    pub(super) block_inverses: Vec<DMatrix<f64>>,
}

impl Problem {
    /// Draws data, patterns and planted changes.
    ///
    /// # Errors
    /// Settings out of range.
    pub fn new(settings: &TheoryProblem) -> Result<Self, TheoryError> {
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
    pub fn settings(&self) -> &TheoryProblem {
        &self.settings
    }

    /// Terms P.
    pub fn terms(&self) -> usize {
        self.blocks.len()
    }

    /// The factors that all methods start from.
    pub fn start(&self) -> Vec<Factors> {
        let mut start = self.balanced_start();
        let rank = self.settings.rank as usize;
        let condition = self.settings.factor_condition;
        let mut random = Random::new(self.settings.seed, FACTORS_STREAM);
        for Factors { lora_a, lora_b } in &mut start {
            // Q D Pᵀ has the inverse P D⁻¹ Qᵀ. The mean logarithm of D is 0: R only turns and stretches.
            let (left, right) = (
                random.orthonormal(rank, rank),
                random.orthonormal(rank, rank),
            );
            if condition == 1.0 {
                continue;
            }
            let middle = libm::sqrt(condition);
            let values = DVector::from_iterator(
                rank,
                geometric(rank, condition)
                    .into_iter()
                    .map(|value| value * middle),
            );
            let inverse = DMatrix::from_diagonal(&values.map(f64::recip));
            *lora_b = &*lora_b * &left * DMatrix::from_diagonal(&values) * right.transpose();
            *lora_a = right * inverse * left.transpose() * &*lora_a;
        }
        start
    }

    /// As the start says, before R.
    fn balanced_start(&self) -> Vec<Factors> {
        let rank = self.settings.rank as usize;
        match self.settings.start {
            TheoryStart::Lora => {
                let mut random = Random::new(self.settings.seed, START_STREAM);
                let deviation = 1.0 / (INPUTS as f64).sqrt();
                (0..self.terms())
                    .map(|_| Factors {
                        lora_a: random.matrix(rank, INPUTS) * deviation,
                        lora_b: DMatrix::zeros(OUTPUTS, rank),
                    })
                    .collect()
            }
            TheoryStart::Spectral => {
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
}

/// ⟨E, H E⟩.
fn quadratic(gram: &DMatrix<f64>, change: &DMatrix<f64>) -> f64 {
    change.dot(&(gram * change))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::settings::TheoryProblemKind;

    fn settings(problem: TheoryProblemKind) -> TheoryProblem {
        TheoryProblem {
            problem,
            planted_condition: 30.0,
            data_condition: 7.0,
            rank: 3,
            ..TheoryProblem::default()
        }
    }

    const KINDS: [TheoryProblemKind; 3] = [
        TheoryProblemKind::LowRankRecovery,
        TheoryProblemKind::TwoLayerRelu,
        TheoryProblemKind::DisjointPatterns,
    ];

    #[test]
    fn other_factors_have_the_product_of_the_start() -> Result<(), TheoryError> {
        let start = |factor_condition| -> Result<Vec<Factors>, TheoryError> {
            let problem = Problem::new(&TheoryProblem {
                start: TheoryStart::Spectral,
                factor_condition,
                ..settings(TheoryProblemKind::TwoLayerRelu)
            })?;
            Ok(problem.start())
        };
        let (one, other) = (start(1.0)?, start(30.0)?);
        for (one, other) in one.iter().zip(&other) {
            let product = &one.lora_b * &one.lora_a;
            let apart = (&product - &other.lora_b * &other.lora_a).norm();
            assert!(apart < 1e-12 * product.norm(), "{apart}");
            assert!((&one.lora_b - &other.lora_b).norm() > 0.1 * one.lora_b.norm());
        }
        Ok(())
    }

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
        let with = |problem| TheoryProblem {
            problem,
            ..TheoryProblem::default()
        };
        let geometry = Problem::new(&with(TheoryProblemKind::DisjointPatterns))?.geometry();
        assert!(geometry.isometry_constant < 1e-9 && geometry.overlap < 1e-9);
        let geometry = Problem::new(&with(TheoryProblemKind::TwoLayerRelu))?.geometry();
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
        let problem = Problem::new(&TheoryProblem {
            problem: TheoryProblemKind::DisjointPatterns,
            start: TheoryStart::Spectral,
            planted_condition: 10.0,
            ..TheoryProblem::default()
        })?;
        assert!(problem.recovery_error(&problem.start()) < 1e-9);
        Ok(())
    }

    #[test]
    fn settings_out_of_range_name_their_field() {
        let good = TheoryProblem::default();
        let wrong = [
            (
                TheoryProblem {
                    rank: 0,
                    ..good.clone()
                },
                "rank",
            ),
            (
                TheoryProblem {
                    rank: 11,
                    ..good.clone()
                },
                "rank",
            ),
            (
                TheoryProblem {
                    planted_condition: f64::NAN,
                    ..good.clone()
                },
                "planted_condition",
            ),
            (
                TheoryProblem {
                    data_condition: 0.5,
                    ..good.clone()
                },
                "data_condition",
            ),
            (
                TheoryProblem {
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
