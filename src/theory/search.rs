//! Each method at its best: curves, and the learning rate with the fewest iterations.

use serde::{Deserialize, Serialize};

use super::descent::{Descent, State};
use super::error::TheoryError;
use super::problem::Problem;
use super::settings::TheoryMethod;

/// The relative error that counts as found.
pub const TARGET: f64 = 1e-6;

/// Iterations after which a method has not arrived.
pub const MOST_ITERATIONS: u32 = 3000;

/// Learning rates: 8 a decade, from 10⁻³ to 10^0.875. Above 2, every method diverges on every
/// problem of this module, whose blocks have a spectral norm near 1.
pub fn grid() -> Vec<f64> {
    (0..32)
        .map(|index| libm::pow(10.0, -3.0 + f64::from(index) / 8.0))
        .collect()
}

/// One method on one problem at one learning rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Learning rate.
    pub lr: f64,
    /// Iterations to the target; `None` where it was not reached.
    pub iterations: Option<u32>,
    /// The iteration at which it diverged.
    pub diverged_at: Option<u32>,
    /// Relative error at the end.
    pub error: f64,
    /// Relative distance of the changes from the planted ones at the end.
    pub recovery: f64,
}

impl Outcome {
    /// What became of a descent.
    pub fn of(descent: &Descent, problem: &Problem, lr: f64) -> Self {
        let (iterations, diverged_at) = match descent.state() {
            State::Running => (None, None),
            State::Arrived(iterations) => (Some(iterations), None),
            State::Diverged(iteration) => (None, Some(iteration)),
        };
        Self {
            lr,
            iterations,
            diverged_at,
            error: descent.error(),
            recovery: problem.recovery_error(descent.factors()),
        }
    }

    /// Fewer iterations; else, where neither arrived, a smaller error.
    fn is_better_than(&self, other: &Self) -> bool {
        match (self.iterations, other.iterations) {
            (Some(one), Some(other)) => one < other,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => {
                let rank = |outcome: &Self| match outcome.diverged_at {
                    Some(_) => f64::INFINITY,
                    None => outcome.error,
                };
                rank(self) < rank(other)
            }
        }
    }
}

/// Relative error over iterations, thinned: every iteration at first, every fifth later.
pub type Curve = Vec<(u32, f64)>;

/// Whether an iteration belongs to a thinned curve.
pub fn is_kept(iteration: u32) -> bool {
    iteration < 200 || iteration.is_multiple_of(5)
}

/// Runs to the end of `most` iterations and keeps the curve.
///
/// # Errors
/// A learning rate that is not above 0.
pub fn run(
    problem: &Problem,
    method: TheoryMethod,
    lr: f64,
    most: u32,
) -> Result<(Outcome, Curve), TheoryError> {
    let mut descent = Descent::new(problem, method, lr, TARGET)?;
    let mut curve = vec![(0, descent.error())];
    while descent.state() == State::Running && descent.iterations() < most {
        descent.step();
        let last = descent.state() != State::Running || descent.iterations() == most;
        if last || is_kept(descent.iterations()) {
            curve.push((descent.iterations(), descent.error()));
        }
    }
    Ok((Outcome::of(&descent, problem, lr), curve))
}

/// A search over learning rates that can be done in pieces.
#[derive(Debug, Clone)]
pub struct Search<'a> {
    problem: &'a Problem,
    method: TheoryMethod,
    left: Vec<f64>,
    most: u32,
    prunes: bool,
    best: Option<Outcome>,
    arrived: Vec<f64>,
}

impl<'a> Search<'a> {
    /// Over `rates`.
    pub fn new(problem: &'a Problem, method: TheoryMethod, rates: &[f64], most: u32) -> Self {
        let left = rates.iter().rev().copied().collect();
        Self {
            problem,
            method,
            left,
            most,
            prunes: false,
            best: None,
            arrived: Vec::new(),
        }
    }

    /// Gives a learning rate up where it needs more iterations than the best so far. The best stays
    /// the same; [`Self::arrived`] does not.
    pub fn pruned(mut self) -> Self {
        self.prunes = true;
        self
    }

    /// Tries the next learning rate; false when there was none left.
    ///
    /// # Errors
    /// A learning rate that is not above 0.
    pub fn advance(&mut self) -> Result<bool, TheoryError> {
        let Some(lr) = self.left.pop() else {
            return Ok(false);
        };
        let fewest = self.best.as_ref().and_then(|best| best.iterations);
        let most = match fewest {
            Some(fewest) if self.prunes => fewest.min(self.most),
            _ => self.most,
        };
        let (outcome, _) = run(self.problem, self.method, lr, most)?;
        if outcome.iterations.is_some() {
            self.arrived.push(lr);
        }
        if self
            .best
            .as_ref()
            .is_none_or(|best| outcome.is_better_than(best))
        {
            self.best = Some(outcome);
        }
        Ok(true)
    }

    /// The best so far; of equals, the smallest learning rate.
    pub fn best(&self) -> Option<&Outcome> {
        self.best.as_ref()
    }

    /// Learning rates that arrived, smallest first where the grid was.
    pub fn arrived(&self) -> &[f64] {
        &self.arrived
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::{TheoryProblem, TheoryProblemKind};

    fn best(settings: &TheoryProblem, method: TheoryMethod) -> Result<Outcome, TheoryError> {
        let problem = Problem::new(settings)?;
        let rates = grid();
        let mut search = Search::new(&problem, method, &rates, MOST_ITERATIONS);
        while search.advance()? {}
        Ok(search.best().cloned().expect("the grid has rates"))
    }

    #[test]
    fn runs_can_be_repeated() -> Result<(), TheoryError> {
        let problem = Problem::new(&TheoryProblem::default())?;
        let again = Problem::new(&TheoryProblem::default())?;
        assert_eq!(
            run(&problem, TheoryMethod::ScaledGd, 0.2, 500)?,
            run(&again, TheoryMethod::ScaledGd, 0.2, 500)?
        );
        Ok(())
    }

    /// The claim of low-rank recovery, where the metric comes from.
    #[test]
    fn scaled_gd_does_not_feel_the_planted_condition_and_gd_does() -> Result<(), TheoryError> {
        let with = |planted_condition| TheoryProblem {
            problem: TheoryProblemKind::LowRankRecovery,
            planted_condition,
            ..TheoryProblem::default()
        };
        let easy = best(&with(1.0), TheoryMethod::ScaledGd)?.iterations;
        let hard = best(&with(100.0), TheoryMethod::ScaledGd)?.iterations;
        let (Some(easy), Some(hard)) = (easy, hard) else {
            panic!("scaled GD arrives: {easy:?} {hard:?}");
        };
        assert!(hard <= easy + 20, "{easy} {hard}");
        assert!(best(&with(1.0), TheoryMethod::Gd)?.iterations.is_some());
        assert_eq!(best(&with(100.0), TheoryMethod::Gd)?.iterations, None);
        Ok(())
    }
}
