//! All methods on one problem, told of while they run.

use serde::{Deserialize, Serialize};
use web_time::{Duration, Instant};

use super::descent::{Descent, State};
use super::error::TheoryError;
use super::problem::{Problem, TheoryGeometry};
use super::search::{MOST_ITERATIONS, Outcome, Search, TARGET, grid, is_kept};
use super::settings::{TheoryMethod, TheoryProblem, check_lr, lr_field};

/// Work between two reports: the page draws some 30 times a second.
const SLICE: Duration = Duration::from_millis(30);

/// Learning rates of the theory's methods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct TheoryRates {
    /// Of gradient descent.
    pub gd: f64,
    /// Of scaled gradient descent.
    pub scaled_gd: f64,
    /// Of scaled gradient descent whose metric knows the data.
    pub data_scaled_gd: f64,
    /// Of scaled gradient descent on the tangent space.
    pub tangent_gd: f64,
}

/// All methods on one problem of the theory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct TheorySettings {
    /// The problem.
    pub problem: TheoryProblem,
    /// Each method's learning rate.
    pub lr: TheoryRates,
    /// Whether each method gets the learning rate of a grid with which it is fastest, in place of
    /// its own.
    pub best_of_grid: bool,
}

/// What is new of one method's curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TheoryCurve {
    /// The method.
    pub method: TheoryMethod,
    /// Its learning rate.
    pub lr: f64,
    /// Iterations of the new points.
    pub iterations: Vec<u32>,
    /// Relative errors there; not finite where it diverged.
    pub errors: Vec<f64>,
    /// Iterations to the target.
    pub arrived_at: Option<u32>,
    /// The iteration at which it diverged.
    pub diverged_at: Option<u32>,
    /// Relative distance of the changes from the planted ones now.
    pub recovery: f64,
    /// How far what the flow of scaled GD conserves is from what it was; see [`Descent::departure`].
    pub departure: f64,
    /// Whether it has ended.
    pub done: bool,
}

/// How far a problem of the theory is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TheoryReport {
    /// How hard the problem is.
    pub geometry: TheoryGeometry,
    /// Learning rates of the grid that were tried.
    pub rates_tried: u32,
    /// Learning rates of the grid for all methods; 0 where none is searched.
    pub rates_in_all: u32,
    /// One a method; none while learning rates are tried.
    pub curves: Vec<TheoryCurve>,
}

/// Trains all methods side by side. `tell` gets what is new since the last report and ends the work
/// by answering false; `pause` lets a worker read its messages.
///
/// # Errors
/// Settings out of range.
pub async fn run(
    settings: &TheorySettings,
    mut tell: impl FnMut(&TheoryReport) -> bool,
    pause: impl AsyncFn(),
) -> Result<(), TheoryError> {
    let problem = Problem::new(&settings.problem)?;
    let mut rates = [
        settings.lr.gd,
        settings.lr.scaled_gd,
        settings.lr.data_scaled_gd,
        settings.lr.tangent_gd,
    ];
    if !settings.best_of_grid {
        for (method, lr) in TheoryMethod::ALL.into_iter().zip(rates) {
            check_lr(lr_field(method), lr)?;
        }
    }
    let mut report = TheoryReport {
        geometry: problem.geometry(),
        rates_tried: 0,
        rates_in_all: 0,
        curves: Vec::new(),
    };
    if settings.best_of_grid {
        let grid = grid();
        report.rates_in_all = (grid.len() * TheoryMethod::ALL.len()) as u32;
        for (method, lr) in TheoryMethod::ALL.into_iter().zip(&mut rates) {
            let mut search = Search::new(&problem, method, &grid, MOST_ITERATIONS).pruned();
            while search.advance()? {
                report.rates_tried += 1;
                if !tell(&report) {
                    return Ok(());
                }
                pause().await;
            }
            *lr = search.best().map_or(*lr, |best| best.lr);
        }
    }
    let mut descents = Vec::new();
    for (method, lr) in TheoryMethod::ALL.into_iter().zip(rates) {
        let descent = Descent::new(&problem, method, lr, TARGET)?;
        report.curves.push(TheoryCurve {
            method,
            lr,
            iterations: vec![0],
            errors: vec![descent.error()],
            arrived_at: None,
            diverged_at: None,
            recovery: problem.recovery_error(descent.factors()),
            departure: 0.0,
            done: false,
        });
        descents.push(descent);
    }
    loop {
        let began = Instant::now();
        let mut going = true;
        while going && began.elapsed() < SLICE {
            going = false;
            for (descent, curve) in descents.iter_mut().zip(&mut report.curves) {
                going |= advance(descent, curve);
            }
        }
        for (descent, curve) in descents.iter().zip(&mut report.curves) {
            let outcome = Outcome::of(descent, &problem, curve.lr);
            curve.recovery = outcome.recovery;
            curve.departure = descent.departure();
            curve.arrived_at = outcome.iterations;
            curve.diverged_at = outcome.diverged_at;
        }
        if !tell(&report) || !going {
            return Ok(());
        }
        for curve in &mut report.curves {
            curve.iterations.clear();
            curve.errors.clear();
        }
        pause().await;
    }
}

/// Ten steps, so that the clock is not asked after each; false at the end.
fn advance(descent: &mut Descent, curve: &mut TheoryCurve) -> bool {
    for _ in 0..10 {
        if curve.done {
            return false;
        }
        descent.step();
        let iterations = descent.iterations();
        curve.done = descent.state() != State::Running || iterations >= MOST_ITERATIONS;
        if curve.done || is_kept(iterations) {
            curve.iterations.push(iterations);
            curve.errors.push(descent.error());
        }
    }
    !curve.done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::TheoryProblemKind;

    fn settings(best_of_grid: bool) -> TheorySettings {
        TheorySettings {
            problem: TheoryProblem {
                problem: TheoryProblemKind::LowRankRecovery,
                planted_condition: 5.0,
                ..TheoryProblem::default()
            },
            lr: TheoryRates {
                gd: 0.5,
                scaled_gd: 0.5,
                data_scaled_gd: 100.0,
                tangent_gd: 0.5,
            },
            best_of_grid,
        }
    }

    /// All points of all reports, and the last report.
    fn told(settings: &TheorySettings) -> Result<(Vec<Vec<u32>>, TheoryReport), TheoryError> {
        let mut points = vec![Vec::new(); 3];
        let mut last = None;
        let tell = |report: &TheoryReport| {
            for (points, curve) in points.iter_mut().zip(&report.curves) {
                points.extend_from_slice(&curve.iterations);
                assert_eq!(curve.iterations.len(), curve.errors.len());
            }
            last = Some(report.clone());
            true
        };
        pollster::block_on(run(settings, tell, async || {}))?;
        Ok((points, last.expect("there is a report at the end")))
    }

    #[test]
    fn every_point_is_told_once_and_ends_are_named() -> Result<(), TheoryError> {
        let (points, last) = told(&settings(false))?;
        for (points, curve) in points.iter().zip(&last.curves) {
            assert!(curve.done);
            assert!(points.is_sorted() && points.first() == Some(&0));
            assert_eq!(
                points.last().copied(),
                curve.arrived_at.or(curve.diverged_at)
            );
        }
        assert!(last.curves[1].arrived_at < last.curves[0].arrived_at);
        assert!(last.curves[2].diverged_at.is_some());
        Ok(())
    }

    #[test]
    fn the_grid_finds_rates_that_are_at_least_as_good() -> Result<(), TheoryError> {
        let (_, own) = told(&settings(false))?;
        let (_, best) = told(&settings(true))?;
        assert_eq!(best.rates_tried, best.rates_in_all);
        for (own, best) in own.curves.iter().zip(&best.curves) {
            assert!(best.arrived_at.is_some() && best.arrived_at <= own.arrived_at.or(Some(3000)));
        }
        Ok(())
    }

    #[test]
    fn it_ends_when_told_so_and_refuses_nonsense() {
        let mut reports = 0;
        let tell = |_: &TheoryReport| {
            reports += 1;
            reports < 3
        };
        let ended = pollster::block_on(run(&settings(true), tell, async || {}));
        assert!(ended.is_ok());
        assert_eq!(reports, 3);
        let mut wrong = settings(false);
        wrong.lr.gd = -1.0;
        let error = pollster::block_on(run(&wrong, |_| true, async || {})).expect_err("refused");
        assert_eq!(error.field(), "lr.gd");
    }
}
