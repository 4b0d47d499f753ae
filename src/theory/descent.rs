//! Gradient descent on LoRA factors, plain and in two metrics.

use super::error::TheoryError;
use super::linear_algebra::{damped_inverse, damped_log_determinant};
use super::problem::{Factors, Problem, factor_gradients};
use super::settings::{TheoryMethod, check_lr, lr_field};

/// A relative error above this is a divergence: the start has 1.
const DIVERGED: f64 = 1e6;

/// Where a descent is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum State {
    /// It can go on.
    Running,
    /// The target was reached after this many iterations.
    Arrived(u32),
    /// The error grew beyond bounds at this iteration.
    Diverged(u32),
}

/// The factors of one method on their way.
#[derive(Debug, Clone)]
pub struct Descent<'a> {
    problem: &'a Problem,
    method: TheoryMethod,
    lr: f64,
    target: f64,
    factors: Vec<Factors>,
    gradient: nalgebra::DMatrix<f64>,
    error: f64,
    iterations: u32,
    state: State,
    /// What the flow of the method conserves, at the start.
    conserved: f64,
}

impl<'a> Descent<'a> {
    /// From the problem's start to a relative error of `target`.
    ///
    /// # Errors
    /// A learning rate that is not above 0.
    pub fn new(
        problem: &'a Problem,
        method: TheoryMethod,
        lr: f64,
        target: f64,
    ) -> Result<Self, TheoryError> {
        Self::from(problem, problem.start(), method, lr, target)
    }

    /// The same from given factors.
    ///
    /// # Errors
    /// A learning rate that is not above 0.
    pub fn from(
        problem: &'a Problem,
        factors: Vec<Factors>,
        method: TheoryMethod,
        lr: f64,
        target: f64,
    ) -> Result<Self, TheoryError> {
        check_lr(lr_field(method), lr)?;
        let mut descent = Self {
            problem,
            method,
            lr,
            target,
            factors,
            gradient: nalgebra::DMatrix::zeros(0, 0),
            error: f64::NAN,
            iterations: 0,
            state: State::Running,
            conserved: f64::NAN,
        };
        descent.conserved = descent.log_determinants();
        descent.measure();
        Ok(descent)
    }

    /// ‖Σᵢ Xᵢ (Bᵢ Aᵢ)ᵀ − T‖ / ‖T‖ now.
    pub fn error(&self) -> f64 {
        self.error
    }

    /// Steps done.
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Whether it goes on.
    pub fn state(&self) -> State {
        self.state
    }

    /// How far the mean over terms of ln det(AAᵀ + δI) - ln det(BᵀB + δI) is from what it was at the start, up or down:
    /// with S in AAᵀ where the metric has it. In the limit of small steps the scaled methods conserve it (the tangent one
    /// as far as δ is small beside the factors), for any loss: both terms change by -2 tr((AAᵀ + δI)⁻¹ (BᵀB + δI)⁻¹ Bᵀ G Aᵀ).
    pub fn departure(&self) -> f64 {
        (self.log_determinants() - self.conserved).abs()
    }

    fn log_determinants(&self) -> f64 {
        let damping = self.problem.settings().damping;
        let terms = self.factors.iter().enumerate();
        let sum: f64 = terms
            .map(|(term, Factors { lora_a, lora_b })| {
                let of_a = match self.method {
                    TheoryMethod::DataScaledGd => {
                        lora_a * &self.problem.block_grams[term] * lora_a.transpose()
                    }
                    _ => lora_a * lora_a.transpose(),
                };
                damped_log_determinant(of_a, damping)
                    - damped_log_determinant(lora_b.tr_mul(lora_b), damping)
            })
            .sum();
        sum / self.factors.len() as f64
    }

    /// The factors now.
    pub fn factors(&self) -> &[Factors] {
        &self.factors
    }

    /// One step of all factors, from gradients and Gram matrices before it; nothing after the end.
    pub fn step(&mut self) {
        if self.state != State::Running {
            return;
        }
        self.iterations += 1;
        let gradients = factor_gradients(&self.gradient, &self.factors);
        for (term, mut gradient) in gradients.into_iter().enumerate() {
            if self.precondition(term, &mut gradient).is_none() {
                self.state = State::Diverged(self.iterations);
                return;
            }
            let factors = &mut self.factors[term];
            factors.lora_a -= gradient.lora_a * self.lr;
            factors.lora_b -= gradient.lora_b * self.lr;
        }
        self.measure();
    }

    /// Rewrites a term's gradients in the method's metric; `None` where a Gram matrix overflowed.
    fn precondition(&self, term: usize, gradient: &mut Factors) -> Option<()> {
        let Factors { lora_a, lora_b } = &self.factors[term];
        let damping = self.problem.settings().damping;
        let inverse_b = |factor: nalgebra::DMatrix<f64>| damped_inverse(factor, damping);
        match self.method {
            TheoryMethod::Gd => {}
            TheoryMethod::ScaledGd => {
                gradient.lora_a = inverse_b(lora_b.tr_mul(lora_b))? * &gradient.lora_a;
                gradient.lora_b = &gradient.lora_b * inverse_b(lora_a * lora_a.transpose())?;
            }
            TheoryMethod::DataScaledGd => {
                let gram = &self.problem.block_grams[term];
                let whiten = &self.problem.block_inverses[term];
                gradient.lora_a = inverse_b(lora_b.tr_mul(lora_b))? * &gradient.lora_a * whiten;
                gradient.lora_b = &gradient.lora_b * inverse_b(lora_a * gram * lora_a.transpose())?;
            }
            TheoryMethod::TangentGd => {
                let of_b = inverse_b(lora_b.tr_mul(lora_b))?;
                let of_a = inverse_b(lora_a * lora_a.transpose())?;
                let step_a = &of_b * &gradient.lora_a;
                let step_b = &gradient.lora_b * &of_a;
                // X P_A and P_B X, without making a projection of full size.
                let common_a = (&step_a * lora_a.transpose()) * of_a * lora_a;
                let common_b = lora_b * (of_b * lora_b.tr_mul(&step_b));
                gradient.lora_a = step_a - common_a * 0.5;
                gradient.lora_b = step_b - common_b * 0.5;
            }
        }
        Some(())
    }

    fn measure(&mut self) {
        let distance = self.problem.distance(&self.factors);
        self.gradient = self.problem.gradient(&distance);
        self.error = self.problem.relative_error(&distance, &self.gradient);
        self.state = if !self.error.is_finite() || self.error > DIVERGED {
            State::Diverged(self.iterations)
        } else if self.error <= self.target {
            State::Arrived(self.iterations)
        } else {
            State::Running
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::problem::INPUTS;
    use crate::theory::random::Random;
    use crate::theory::{TheoryProblem, TheoryProblemKind};

    fn problem(data_condition: f64) -> Result<Problem, TheoryError> {
        Problem::new(&TheoryProblem {
            planted_condition: 10.0,
            data_condition,
            damping: 1e-300,
            ..TheoryProblem::default()
        })
    }

    /// Away from B = 0, where Gram matrices have no inverse.
    fn after(problem: &Problem, steps: usize) -> Result<Vec<Factors>, TheoryError> {
        let mut descent = Descent::new(problem, TheoryMethod::Gd, 0.1, 0.0)?;
        (0..steps).for_each(|_| descent.step());
        Ok(descent.factors().to_vec())
    }

    fn errors(mut descent: Descent, steps: usize) -> Vec<f64> {
        (0..steps)
            .map(|_| {
                descent.step();
                descent.error()
            })
            .collect()
    }

    /// B A = (B Q)(Q⁻¹ A) for any invertible Q: the metric makes steps that do not see Q.
    #[test]
    fn scaled_gd_does_not_see_how_the_product_is_split() -> Result<(), TheoryError> {
        let problem = problem(3.0)?;
        let factors = after(&problem, 50)?;
        let mut random = Random::new(3, 0);
        let moved: Vec<Factors> = factors
            .iter()
            .map(|Factors { lora_a, lora_b }| {
                let split = random.matrix(2, 2) * 5.0;
                let inverse = split
                    .clone()
                    .try_inverse()
                    .expect("a random matrix has one");
                Factors {
                    lora_a: inverse * lora_a,
                    lora_b: lora_b * split,
                }
            })
            .collect();
        for method in TheoryMethod::ALL {
            let from = |factors| Descent::from(&problem, factors, method, 0.2, 0.0);
            let straight = errors(from(factors.clone())?, 20);
            let other = errors(from(moved.clone())?, 20);
            let apart = straight
                .iter()
                .zip(&other)
                .map(|(one, other)| (one - other).abs() / one)
                .fold(0.0, f64::max);
            match method {
                TheoryMethod::Gd => assert!(apart > 1e-2, "{apart}"),
                _ => assert!(apart < 1e-8, "{method:?} {apart}"),
            }
        }
        Ok(())
    }

    /// Steps of rate lr depart by about lr for the same way; GD moves it in the flow, too.
    #[test]
    fn the_flow_of_the_scaled_methods_conserves_the_ratio_of_determinants()
    -> Result<(), TheoryError> {
        let problem = problem(3.0)?;
        let factors = after(&problem, 50)?;
        let departure = |method, lr, steps| -> Result<f64, TheoryError> {
            let mut descent = Descent::from(&problem, factors.clone(), method, lr, 0.0)?;
            (0..steps).for_each(|_| descent.step());
            Ok(descent.departure())
        };
        for method in TheoryMethod::ALL {
            let coarse = departure(method, 1e-2, 50)?;
            let fine = departure(method, 1e-3, 500)?;
            match method {
                TheoryMethod::Gd => assert!(fine / coarse > 0.9, "{coarse} {fine}"),
                _ => assert!(
                    (0.05..0.2).contains(&(fine / coarse)),
                    "{method:?} {coarse} {fine}"
                ),
            }
        }
        Ok(())
    }

    #[test]
    fn with_isometric_blocks_the_data_metric_changes_nothing() -> Result<(), TheoryError> {
        let problem = Problem::new(&TheoryProblem {
            problem: TheoryProblemKind::DisjointPatterns,
            ..TheoryProblem::default()
        })?;
        let scaled = errors(
            Descent::new(&problem, TheoryMethod::ScaledGd, 0.3, 0.0)?,
            30,
        );
        let data = errors(
            Descent::new(&problem, TheoryMethod::DataScaledGd, 0.3, 0.0)?,
            30,
        );
        for (one, other) in scaled.iter().zip(&data) {
            assert!((one - other).abs() < 1e-9);
        }
        Ok(())
    }

    #[test]
    fn a_large_learning_rate_diverges_and_stops() -> Result<(), TheoryError> {
        let problem = problem(1.0)?;
        for method in TheoryMethod::ALL {
            let mut descent = Descent::new(&problem, method, 1e3, 1e-6)?;
            (0..100).for_each(|_| descent.step());
            let State::Diverged(iteration) = descent.state() else {
                panic!("{method:?} {:?}", descent.state());
            };
            assert_eq!(descent.iterations(), iteration);
        }
        Ok(())
    }

    #[test]
    fn the_first_step_of_scaled_gd_is_a_share_of_least_squares() -> Result<(), TheoryError> {
        // B = 0: A has no gradient, and B becomes lr times the best B for this A.
        let problem = Problem::new(&TheoryProblem {
            problem: TheoryProblemKind::LowRankRecovery,
            damping: 1e-12,
            ..TheoryProblem::default()
        })?;
        let mut descent = Descent::new(&problem, TheoryMethod::ScaledGd, 1.0, 0.0)?;
        let start = descent.factors()[0].lora_a.clone();
        descent.step();
        assert_eq!(descent.factors()[0].lora_a, start);
        let left = problem.gradients(descent.factors())[0].lora_b.norm();
        assert!(left < 1e-9, "{left}");
        assert_eq!(start.ncols(), INPUTS);
        Ok(())
    }

    #[test]
    fn the_tangent_step_is_the_projection_of_the_gradient() -> Result<(), TheoryError> {
        let problem = Problem::new(&TheoryProblem {
            problem: TheoryProblemKind::LowRankRecovery,
            damping: 1e-300,
            ..TheoryProblem::default()
        })?;
        let mut descent = Descent::new(&problem, TheoryMethod::TangentGd, 1e-6, 0.0)?;
        // Away from B = 0, where there is no tangent space.
        for factors in &mut descent.factors {
            factors.lora_b = nalgebra::DMatrix::from_fn(
                factors.lora_b.nrows(),
                factors.lora_b.ncols(),
                |i, j| ((3 * i + 7 * j + 1) % 5) as f64 - 2.0,
            );
        }
        descent.measure();
        let Factors { lora_a, lora_b } = descent.factors[0].clone();
        let onto = |columns: &nalgebra::DMatrix<f64>| {
            let inverse = columns.tr_mul(columns).try_inverse().expect("of full rank");
            columns * inverse * columns.transpose()
        };
        let (of_b, of_a) = (onto(&lora_b), onto(&lora_a.transpose()));
        // ∂/∂A is Bᵀ G and ∂/∂B is G Aᵀ, for G the gradient of the change B A.
        let gradient = descent.gradient.transpose();
        let projected = &of_b * &gradient + &gradient * &of_a - &of_b * &gradient * &of_a;
        descent.step();
        let after = &descent.factors[0];
        let step = (&lora_b * &lora_a - &after.lora_b * &after.lora_a) / 1e-6;
        let apart = (&step - &projected).norm() / projected.norm();
        assert!(apart < 1e-4, "{apart}");
        Ok(())
    }

    #[test]
    fn learning_rates_that_are_none_are_refused() -> Result<(), TheoryError> {
        let problem = problem(1.0)?;
        for lr in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error =
                Descent::new(&problem, TheoryMethod::ScaledGd, lr, 1e-6).expect_err("refused");
            assert_eq!(error.field(), "lr.scaled_gd");
        }
        Ok(())
    }
}
