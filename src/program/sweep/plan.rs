//! What a sweep is asked to do.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use riemann_lora::{
    data::DataSettings,
    messages::{RunSettings, SessionSettings},
    model::Target,
    optim::{OptimizerSettings, Preset, Schedule, presets},
    train::sweep::{SweepPoint, SweepResult, best_index, lrs_of},
};
use serde::{Deserialize, Serialize};

/// A sweep: methods, learning rates, and what all runs share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What all runs share.
    pub session: Shared,
    /// How the text is read.
    #[serde(default)]
    pub data: DataSettings,
    /// Examples of the validation file that the final loss is measured on, at equal distances.
    pub validation_examples: usize,
    /// The first is for the whole grid, the others for each method's best learning rate and its
    /// neighbours.
    pub seeds: Vec<u32>,
    /// How many learning rates may be added past the end of a grid whose best is its first or last.
    #[serde(default)]
    pub extensions: usize,
    /// Warm-up and decay of all methods, in place of their presets'.
    pub schedule: Option<Schedule>,
    /// The methods.
    pub methods: Vec<Method>,
}

/// Settings of every run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    rank: u32,
    alpha: f64,
    dropout: f64,
    targets: Vec<Target>,
    /// Sequences a step.
    pub batch_size: u32,
    /// Steps of every run.
    pub steps: u32,
}

/// One method and its grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// What it is called in tables and charts.
    pub name: String,
    /// Its settings.
    preset: String,
    /// Learning rates, rising.
    lrs: Vec<f64>,
}

impl Plan {
    /// Checks what the library does not.
    ///
    /// # Errors
    /// The first field that is wrong, with what is allowed.
    pub fn validate(&self) -> Result<()> {
        ensure!(!self.seeds.is_empty(), "seeds is empty; give at least one");
        ensure!(
            !self.methods.is_empty(),
            "methods is empty; give at least one"
        );
        ensure!(
            self.validation_examples > 0,
            "validation_examples is 0; it must be 1 or more"
        );
        let mut names: Vec<&str> = self.methods.iter().map(|m| m.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        ensure!(
            names.len() == self.methods.len(),
            "two methods have the same name; name each of them once"
        );
        for method in &self.methods {
            method.settings(self.session.steps)?;
            let rising = method.lrs.windows(2).all(|pair| pair[0] < pair[1]);
            let allowed = method.lrs.iter().all(|lr| lr.is_finite() && *lr > 0.0);
            ensure!(
                rising && allowed && !method.lrs.is_empty(),
                "lrs of {} is {:?}; it must be a rising list of finite numbers above 0",
                method.name,
                method.lrs
            );
        }
        Ok(())
    }

    /// Names of the methods, in their order.
    pub fn names(&self) -> Vec<String> {
        self.methods.iter().map(|m| m.name.clone()).collect()
    }

    /// All points that `results` so far ask for: the grid, then what grows out of it.
    pub fn wanted(&self, results: &[SweepResult]) -> Vec<SweepPoint> {
        let mut points = Vec::new();
        let first = self.seeds[0];
        // More seeds are for the learning rates that the first one chose; were they to take part in
        // the choice, it could move for ever.
        let of_first: Vec<SweepResult> = results
            .iter()
            .filter(|result| result.point.seed == first)
            .cloned()
            .collect();
        for method in &self.methods {
            let name = &method.name;
            let point = |lr: f64, seed: u32| SweepPoint {
                method: name.clone(),
                lr,
                seed,
            };
            let done = lrs_of(name, &of_first);
            let mut grid = method.lrs.clone();
            grid.extend(done.iter().copied());
            grid.sort_by(f64::total_cmp);
            grid.dedup();
            points.extend(grid.iter().map(|&lr| point(lr, first)));
            if grid != done {
                continue;
            }
            let Some(best) = best_index(name, &grid, &of_first) else {
                continue;
            };
            let added = grid.len() - method.lrs.len();
            if let Some(lr) = past_the_edge(&grid, best).filter(|_| added < self.extensions) {
                points.push(point(lr, first));
                continue;
            }
            let near = best.saturating_sub(1)..=(best + 1).min(grid.len() - 1);
            for &seed in &self.seeds[1..] {
                points.extend(grid[near.clone()].iter().map(|&lr| point(lr, seed)));
            }
        }
        points
    }

    /// A session of `points`, which share their seed.
    ///
    /// # Errors
    /// A point whose method is not in the plan.
    pub fn session(&self, points: &[SweepPoint]) -> Result<SessionSettings> {
        let methods: BTreeMap<&str, &Method> = self
            .methods
            .iter()
            .map(|method| (method.name.as_str(), method))
            .collect();
        let runs = points.iter().map(|point| {
            let method = methods
                .get(point.method.as_str())
                .with_context(|| format!("{} is no method of this plan", point.method))?;
            let mut optimizer = method.settings(self.session.steps)?;
            optimizer.lr = point.lr;
            optimizer.schedule = self.schedule.unwrap_or(optimizer.schedule);
            Ok(RunSettings {
                name: format!("{} at {:e}", point.method, point.lr),
                optimizer,
                text_lr: None,
            })
        });
        let shared = &self.session;
        Ok(SessionSettings {
            rank: shared.rank,
            alpha: shared.alpha,
            dropout: shared.dropout,
            targets: shared.targets.clone(),
            batch_size: shared.batch_size,
            micro_batch_size: 0,
            gradient_checkpointing: false,
            half_precision: false,
            steps: shared.steps,
            seed: points.first().map_or(0, |point| point.seed),
            runs: runs.collect::<Result<_>>()?,
            diagnostics: false,
        })
    }
}

impl Method {
    fn settings(&self, steps: u32) -> Result<OptimizerSettings> {
        let Some(preset) = Preset::find(&self.preset) else {
            let known: Vec<String> = presets().into_iter().map(|preset| preset.id).collect();
            bail!(
                "preset of {} is {}; it must be one of {}",
                self.name,
                self.preset,
                known.join(", ")
            );
        };
        Ok(preset.for_steps(steps))
    }
}

/// The next learning rate of a grid whose best is its first or last, at the distance of the last
/// step and to three figures.
fn past_the_edge(grid: &[f64], best: usize) -> Option<f64> {
    let last = grid.len().checked_sub(1)?;
    let inner = match best {
        _ if last == 0 => return None,
        0 => 1,
        best if best == last => last - 1,
        _ => return None,
    };
    let lr = grid[best] * grid[best] / grid[inner];
    format!("{lr:.2e}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(methods: &str) -> Result<Plan> {
        let text = format!(
            r#"{{"session": {{"rank": 4, "alpha": 32, "dropout": 0, "targets": ["q_proj"], "batch_size": 4, "steps": 10}},
            "validation_examples": 8, "seeds": [0, 7], "extensions": 1, "methods": [{methods}]}}"#
        );
        let plan: Plan = serde_json::from_str(&text)?;
        plan.validate().map(|()| plan)
    }

    fn result(point: SweepPoint, loss: f64) -> SweepResult {
        SweepResult {
            point,
            validation_loss: Some(loss),
            diverged_at: None,
            losses: vec![],
        }
    }

    #[test]
    fn a_grid_grows_past_its_edge_and_then_gets_its_other_seeds() -> Result<()> {
        let plan = plan(r#"{"name": "AdamW", "preset": "adamw", "lrs": [1e-4, 1e-3, 1e-2]}"#)?;
        let first = plan.wanted(&[]);
        assert_eq!(first.len(), 3);
        // The larger the better: the grid is extended once, and no further.
        let mut results: Vec<SweepResult> = first
            .into_iter()
            .map(|p| {
                let loss = 1.0 - p.lr;
                result(p, loss)
            })
            .collect();
        let second = plan.wanted(&results);
        assert_eq!(second.len(), 4);
        assert_eq!((second[3].lr, second[3].seed), (0.1, 0));
        results.push(result(second[3].clone(), 0.5));
        let third = plan.wanted(&results);
        let others: Vec<f64> = third.iter().filter(|p| p.seed == 7).map(|p| p.lr).collect();
        assert_eq!(others, [1e-2, 1e-1]);
        Ok(())
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (methods, words) in [
            ("", "methods is empty"),
            (
                r#"{"name": "x", "preset": "adam", "lrs": [1]}"#,
                "preset of x is adam",
            ),
            (
                r#"{"name": "x", "preset": "adamw", "lrs": [1, 0.5]}"#,
                "rising",
            ),
            (
                r#"{"name": "x", "preset": "adamw", "lrs": [-1]}"#,
                "above 0",
            ),
            (r#"{"name": "x", "preset": "adamw", "lrs": []}"#, "rising"),
            (
                r#"{"name": "x", "preset": "adamw", "lr": [1]}"#,
                "unknown field `lr`",
            ),
        ] {
            let error = plan(methods).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
