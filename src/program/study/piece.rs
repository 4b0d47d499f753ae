//! A finished piece of the study: methods over learning rates and seeds, from the result file of a sweep.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::program::sweep::{Finished, Plan};

/// What the report needs of a sweep's result file.
#[derive(Debug, Deserialize)]
struct Sweep {
    base_loss: f64,
    base_report_loss: Option<f64>,
    plan: Plan,
    pending_runs: usize,
    runs: Vec<Finished>,
}

/// A piece.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Loss of the base on the half of the validation examples that reports.
    pub base_loss: f64,
    /// Seeds that all methods have.
    pub seeds: Vec<u32>,
    /// The methods that have such seeds.
    pub methods: Vec<Runs>,
    /// Runs that are finished, counted or not.
    pub finished_runs: usize,
    /// Runs of the plan that are not finished.
    pub pending_runs: usize,
    /// Processor time, as far as it was told.
    pub processor_seconds: f64,
}

/// The runs of one method on a whole grid of learning rates and seeds.
#[derive(Debug, Clone)]
pub struct Runs {
    /// Name of the method.
    pub method: String,
    /// (alpha / r)²: times a learning rate, the rate of the equivalent full-matrix step.
    pub squared_scale: f64,
    /// Learning rates, rising.
    pub lrs: Vec<f64>,
    /// Loss of the half that chooses, [learning rate][seed]; `None` where the run diverged.
    pub choosing: Vec<Vec<Option<f64>>>,
    /// Loss of the half that reports.
    pub reporting: Vec<Vec<Option<f64>>>,
    /// Loss of the half that reports of runs with more seeds, which are for the best alone.
    pub more: Vec<MoreSeeds>,
    /// Training loss of every step.
    pub curves: Vec<Vec<Vec<f64>>>,
}

/// A run with a seed that not all of the grid has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MoreSeeds {
    pub seed: u32,
    pub lr: f64,
    /// `None` where it diverged.
    pub loss: Option<f64>,
}

impl Piece {
    /// Reads a result file; `None` where there is none, or no seed is finished.
    ///
    /// # Errors
    /// A file that is no result of a sweep.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let name = || path.display().to_string();
        let text = std::fs::read(path).with_context(name)?;
        let sweep: Sweep = serde_json::from_slice(&text)
            .with_context(|| format!("{}: this is no result of a sweep", name()))?;
        Ok(Self::of(sweep))
    }

    fn of(sweep: Sweep) -> Option<Self> {
        let names = sweep.plan.names();
        let (seeds, grids) = whole_grids(&names, &sweep.plan.seeds, &sweep.runs)?;
        let methods = names.iter().zip(grids).filter(|(_, lrs)| !lrs.is_empty());
        let methods = methods.map(|(name, lrs)| Runs::of(name, lrs, &seeds, &sweep));
        let seconds = sweep.runs.iter().filter_map(|run| run.processor_seconds);
        Some(Self {
            base_loss: sweep.base_report_loss.unwrap_or(sweep.base_loss),
            methods: methods.collect(),
            seeds,
            finished_runs: sweep.runs.len(),
            pending_runs: sweep.pending_runs,
            processor_seconds: seconds.sum(),
        })
    }

    /// The runs of a method.
    pub fn method(&self, name: &str) -> Option<&Runs> {
        self.methods.iter().find(|runs| runs.method == name)
    }
}

impl Runs {
    fn of(method: &str, lrs: Vec<f64>, seeds: &[u32], sweep: &Sweep) -> Self {
        let runs = &sweep.runs;
        let table = |lr: f64| {
            seeds.iter().filter_map(move |&seed| {
                runs.iter().find(|run| {
                    let point = &run.result.point;
                    point.method == method && point.lr == lr && point.seed == seed
                })
            })
        };
        let more = runs.iter().filter(|run| {
            let point = &run.result.point;
            point.method == method && !sweep.plan.seeds.contains(&point.seed)
        });
        // A sweep without halves reports what it chose by.
        let reported = |run: &Finished| run.report_loss.or(run.result.validation_loss);
        let each = |of: &dyn Fn(&Finished) -> Option<f64>| {
            let row = |&lr: &f64| table(lr).map(of).collect();
            lrs.iter().map(row).collect()
        };
        Self {
            method: method.to_owned(),
            squared_scale: sweep.plan.scale(method).unwrap_or(f64::NAN).powi(2),
            choosing: each(&|run| run.result.validation_loss),
            reporting: each(&reported),
            more: more
                .map(|run| MoreSeeds {
                    seed: run.result.point.seed,
                    lr: run.result.point.lr,
                    loss: reported(run),
                })
                .collect(),
            curves: lrs
                .iter()
                .map(|&lr| table(lr).map(|run| run.result.losses.clone()).collect())
                .collect(),
            lrs,
        }
    }
}

/// The first seeds of the plan, as many as give the most runs that all methods have with all of them, and the learning
/// rates of each method at which they do; `None` where nothing is finished.
fn whole_grids(
    methods: &[String],
    seeds: &[u32],
    runs: &[Finished],
) -> Option<(Vec<u32>, Vec<Vec<f64>>)> {
    let lrs_of = |method: &str, seed: u32| -> BTreeSet<u64> {
        let own = runs.iter().map(|run| &run.result.point);
        let own = own.filter(|point| point.method == method && point.seed == seed);
        // Bits of positive numbers are in the numbers' order.
        own.map(|point| point.lr.to_bits()).collect()
    };
    let grids_of = |seeds: &[u32]| -> Vec<Vec<f64>> {
        let common = |method: &String| {
            let sets = seeds.iter().map(|&seed| lrs_of(method, seed));
            let common = sets.reduce(|one, other| &one & &other).unwrap_or_default();
            common.into_iter().map(f64::from_bits).collect()
        };
        methods.iter().map(common).collect()
    };
    (1..=seeds.len())
        .map(|count| (seeds[..count].to_vec(), grids_of(&seeds[..count])))
        .filter(|(_, grids)| grids.iter().any(|lrs| !lrs.is_empty()))
        .max_by_key(|(seeds, grids)| seeds.len() * grids.iter().map(Vec::len).sum::<usize>())
}

#[cfg(test)]
pub mod tests {
    use super::*;

    fn sweep(runs: &[(&str, f64, u32, f64)]) -> Sweep {
        let runs: Vec<String> = runs
            .iter()
            .map(|(method, lr, seed, loss)| {
                format!(
                    r#"{{"method": "{method}", "lr": {lr}, "seed": {seed}, "validation_loss": {loss}, "report_loss": {},
                    "diverged_at": null, "losses": [5, {loss}], "processor_seconds": 1.5}}"#,
                    loss + 0.5
                )
            })
            .collect();
        let text = format!(
            r#"{{"base_loss": 5, "base_report_loss": 5.5, "pending_runs": 3, "runs": [{}], "plan": {{
            "session": {{"rank": 4, "alpha": 32, "dropout": 0, "targets": ["q_proj"], "batch_size": 4, "steps": 2}},
            "validation_examples": 8, "validation_halves": true, "seeds": [0, 1], "seeds_over": "grid", "methods": [
                {{"name": "x", "preset": "sgd", "lrs": [0.1, 0.2, 0.3]}},
                {{"name": "y", "preset": "adamw", "lrs": [0.1]}}]}}}}"#,
            runs.join(",")
        );
        serde_json::from_str(&text).expect("a result")
    }

    #[test]
    fn what_all_seeds_have_counts() {
        let piece = Piece::of(sweep(&[
            ("x", 0.3, 0, 2.0),
            ("x", 0.1, 0, 3.0),
            ("x", 0.2, 0, 2.5),
            ("y", 0.1, 0, 1.0),
            ("x", 0.3, 1, 2.1),
            ("x", 0.1, 1, 3.1),
            ("y", 0.1, 1, 1.1),
            ("x", 0.3, 8, 2.2),
        ]))
        .expect("a piece");
        assert_eq!(piece.seeds, [0, 1]);
        assert_eq!(
            (piece.base_loss, piece.methods[0].squared_scale),
            (5.5, 64.0)
        );
        assert_eq!((piece.finished_runs, piece.pending_runs), (8, 3));
        assert_eq!(piece.processor_seconds, 12.0);
        let x = piece.method("x").expect("a method");
        assert_eq!(x.lrs, [0.1, 0.3]);
        assert_eq!(x.choosing, [[Some(3.0), Some(3.1)], [Some(2.0), Some(2.1)]]);
        assert_eq!(x.reporting[1], [Some(2.5), Some(2.6)]);
        assert_eq!(x.curves[0][1], [5.0, 3.1]);
        let more = MoreSeeds {
            seed: 8,
            lr: 0.3,
            loss: Some(2.7),
        };
        assert_eq!(x.more, [more]);
    }

    #[test]
    fn one_whole_seed_is_more_than_a_corner_of_two() {
        let piece = Piece::of(sweep(&[
            ("x", 0.3, 0, 2.0),
            ("x", 0.1, 0, 3.0),
            ("x", 0.2, 0, 2.5),
            ("x", 0.3, 1, 2.1),
        ]))
        .expect("a piece");
        assert_eq!(piece.seeds, [0]);
        assert_eq!(piece.methods.len(), 1);
        assert_eq!(piece.methods[0].lrs, [0.1, 0.2, 0.3]);
        assert!(Piece::of(sweep(&[])).is_none());
    }
}
