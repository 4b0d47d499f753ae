//! What a sweep is asked to do.

use anyhow::{Context, Result, bail, ensure};
use riemann_lora::{
    data::DataSettings,
    model::{AdapterShape, Target},
    optim::{OptimizerSettings, Preset, presets},
    train::{
        RunSettings, SessionSettings,
        sweep::{SweepPoint, SweepResult, best_index, lrs_of},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::settings::SettingsFile,
    edge::{Edge, next_points},
    grid::{Grid, three_figures},
    warm_up::{PlannedSchedule, remark},
};

/// A sweep: methods, learning rates, and what all runs share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What all runs share.
    pub session: Shared,
    /// How the text is read.
    #[serde(default)]
    pub data: DataSettings,
    /// Examples of the validation file that the final loss is measured on, at equal distances.
    pub validation_examples: usize,
    /// Whether the validation file is split by prompt into two halves, each with so many examples: one
    /// to choose a learning rate by, the other to report its loss.
    #[serde(default, skip_serializing_if = "is_false")]
    pub validation_halves: bool,
    /// Seeds of adapters, batches and dropout.
    pub seeds: Vec<u32>,
    /// What the seeds after the first are for.
    #[serde(default, skip_serializing_if = "SeedsOver::is_best")]
    seeds_over: SeedsOver,
    /// More seeds for each method's best learning rate alone, once its grid is finished.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    seeds_at_best: Vec<u32>,
    /// How exactly the learning rate is wanted from which each method, with each seed, ends above the base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edge: Option<Edge>,
    /// Whether the factors of each run are looked at after some of its steps.
    #[serde(default, skip_serializing_if = "is_false")]
    pub factors: bool,
    /// How many learning rates may be added past the end of a grid whose best is its first or last.
    #[serde(default)]
    pub extensions: usize,
    /// Warm-up and decay of all methods, in place of their presets'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<PlannedSchedule>,
    /// The methods.
    pub methods: Vec<PlannedMethod>,
}

/// Which learning rates the seeds after the first are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum SeedsOver {
    /// Each method's best of the first seed, and its neighbours.
    #[default]
    Best,
    /// All of the grid.
    Grid,
}

impl SeedsOver {
    fn is_best(&self) -> bool {
        *self == Self::Best
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Settings of every run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    rank: u32,
    alpha: f64,
    /// Whether adapters are multiplied by alpha / √rank.
    #[serde(default, skip_serializing_if = "is_false")]
    use_rslora: bool,
    dropout: f64,
    targets: Vec<Target>,
    /// Sequences a step.
    pub batch_size: u32,
    /// Steps of every run.
    pub steps: u32,
}

/// One method and its grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedMethod {
    /// What it is called in tables and charts.
    pub name: String,
    /// Its settings.
    preset: String,
    /// In place of the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rank: Option<u32>,
    /// In place of the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alpha: Option<f64>,
    /// Learning rates, rising.
    lrs: Grid,
    /// In place of the preset's and the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<PlannedSchedule>,
    /// δ, in place of the preset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    damping: Option<f64>,
    /// In place of the preset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    betas: Option<[f64; 2]>,
    /// In place of the preset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    eps: Option<f64>,
}

impl SettingsFile for Plan {
    const WHOLE: &str =
        "benchmarks/study/p1.json among the sources of riemann-lora is a whole plan";
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
        ensure!(
            self.extensions == 0 || self.seeds_over.is_best(),
            "extensions is {}; a grid that all seeds go over is not extended, so it must be 0",
            self.extensions
        );
        self.edge.map_or(Ok(()), Edge::validate)?;
        for method in &self.methods {
            self.settings(method)?;
            method
                .lrs
                .lrs()
                .with_context(|| format!("method {}", method.name))?;
        }
        Ok(())
    }

    /// What must be said before hours are spent: a line for each method it is true of.
    pub fn remarks(&self) -> Vec<String> {
        let of = |method: &PlannedMethod| {
            let words = remark(self.settings(method).ok()?.schedule)?;
            Some(format!("{}: {words}", method.name))
        };
        self.methods.iter().filter_map(of).collect()
    }

    /// δ of each run of a session; `None` where it has no preconditioner.
    pub fn damping(settings: &SessionSettings) -> Vec<Option<f64>> {
        let of = |run: &RunSettings| Some(run.optimizer.preconditioner?.damping);
        settings.runs.iter().map(of).collect()
    }

    /// Whether `other` would train this point to the same numbers.
    pub fn agrees_on(&self, point: &SweepPoint, other: &Self) -> bool {
        let point = std::slice::from_ref(point);
        let same = match (self.session(point), other.session(point)) {
            (Ok(own), Ok(others)) => own == others,
            _ => false,
        };
        let measured = |plan: Self| (plan.data, plan.validation_examples, plan.validation_halves);
        same && measured(self.as_measured()) == measured(other.as_measured())
    }

    /// The plan without the share of the data that is held out where there is no validation file. A sweep always has
    /// one, so that two plans that differ in nothing else are the same sweep.
    pub fn as_measured(&self) -> Self {
        let mut plan = self.clone();
        plan.data.validation = DataSettings::default().validation;
        plan
    }

    /// Points in the order of training, in lists that one session can hold: of one seed, rank and alpha. Every second
    /// learning rate of a grid comes first, with all seeds, so that a sweep that is stopped half-way has whole seeds.
    pub fn in_order(&self, points: &[SweepPoint]) -> Vec<Vec<SweepPoint>> {
        let is_late = |point: &SweepPoint| {
            let lrs = self.method(&point.method).ok()?.lrs.lrs().ok()?;
            let place = lrs.iter().position(|lr| *lr == point.lr)?;
            Some(place % 2 == 1 && !self.seeds_over.is_best())
        };
        let mut groups: Vec<(_, Vec<SweepPoint>)> = Vec::new();
        for late in [false, true] {
            for seed in self.seeds.iter().chain(&self.seeds_at_best) {
                let own = points.iter().filter(|point| point.seed == *seed);
                for point in own.filter(|point| is_late(point).unwrap_or(false) == late) {
                    let key = (late, *seed, self.shape(&point.method).ok());
                    match groups.iter_mut().find(|(of, _)| *of == key) {
                        Some((_, group)) => group.push(point.clone()),
                        None => groups.push((key, vec![point.clone()])),
                    }
                }
            }
        }
        groups.into_iter().map(|(_, group)| group).collect()
    }

    fn method(&self, name: &str) -> Result<&PlannedMethod> {
        let found = self.methods.iter().find(|method| method.name == name);
        found.with_context(|| format!("{name} is no method of this plan"))
    }

    /// Rank and alpha of a method's adapters.
    fn shape(&self, method: &str) -> Result<(u32, f64)> {
        let method = self.method(method)?;
        let shared = &self.session;
        Ok((
            method.rank.unwrap_or(shared.rank),
            method.alpha.unwrap_or(shared.alpha),
        ))
    }

    /// What a method's adapters are multiplied by.
    ///
    /// # Errors
    /// A method that is not in the plan.
    pub fn scale(&self, method: &str) -> Result<f64> {
        let (rank, alpha) = self.shape(method)?;
        let use_rslora = self.session.use_rslora;
        Ok(AdapterShape::scale_of(alpha, rank as usize, use_rslora))
    }

    /// All seeds.
    pub fn all_seeds(&self) -> Vec<u32> {
        let mut seeds = [self.seeds.clone(), self.seeds_at_best.clone()].concat();
        seeds.sort_unstable();
        seeds.dedup();
        seeds
    }

    /// Names of the methods, in their order.
    pub fn names(&self) -> Vec<String> {
        self.methods.iter().map(|m| m.name.clone()).collect()
    }

    /// All points that `results` so far ask for: the grid, then what grows out of it. A run has failed that ends above
    /// `base_loss`.
    pub fn wanted(&self, results: &[SweepResult], base_loss: f64) -> Vec<SweepPoint> {
        let mut points = match self.seeds_over {
            SeedsOver::Best => self.around_the_best(results),
            SeedsOver::Grid => self.whole_grid(),
        };
        if let Some(edge) = self.edge {
            points.extend(next_points(edge, &points, results, base_loss));
        }
        // The best is chosen when all that it is chosen from is there, and by nothing that comes later.
        let grid: Vec<SweepResult> = results
            .iter()
            .filter(|result| points.contains(&result.point))
            .cloned()
            .collect();
        if grid.len() == points.len() {
            for method in &self.methods {
                let lrs = lrs_of(&method.name, &grid);
                let best = best_index(&method.name, &lrs, &grid);
                for &seed in &self.seeds_at_best {
                    points.extend(best.map(|best| method.point(lrs[best], seed)));
                }
            }
        }
        points
    }

    fn whole_grid(&self) -> Vec<SweepPoint> {
        let mut points = Vec::new();
        for &seed in &self.seeds {
            for method in &self.methods {
                let lrs = method.lrs.lrs().unwrap_or_default();
                points.extend(lrs.iter().map(|&lr| method.point(lr, seed)));
            }
        }
        points
    }

    fn around_the_best(&self, results: &[SweepResult]) -> Vec<SweepPoint> {
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
            let point = |lr: f64, seed: u32| method.point(lr, seed);
            let done = lrs_of(name, &of_first);
            let planned = method.lrs.lrs().unwrap_or_default();
            let mut grid = planned.clone();
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
            let added = grid.len() - planned.len();
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

    /// A method's settings: its preset's, and what plan and method put in their place.
    fn settings(&self, method: &PlannedMethod) -> Result<OptimizerSettings> {
        let steps = self.session.steps;
        let mut settings = method.of_preset(steps)?;
        if let Some(schedule) = method.schedule.or(self.schedule) {
            settings.schedule = schedule
                .of_steps(steps)
                .with_context(|| format!("schedule of {}", method.name))?;
        }
        if let Some(damping) = method.damping {
            let preconditioner = settings.preconditioner.as_mut();
            let preconditioner = preconditioner.with_context(|| {
                format!(
                    "damping of {} is {damping}, but preset {} has no preconditioner; leave it out",
                    method.name, method.preset
                )
            })?;
            preconditioner.damping = damping;
        }
        settings.betas = method.betas.unwrap_or(settings.betas);
        settings.eps = method.eps.unwrap_or(settings.eps);
        Ok(settings)
    }

    /// A session of `points`, which share their seed, rank and alpha.
    ///
    /// # Errors
    /// A point whose method is not in the plan, or no point at all.
    pub fn session(&self, points: &[SweepPoint]) -> Result<SessionSettings> {
        let runs = points.iter().map(|point| {
            let method = self.method(&point.method)?;
            Ok(RunSettings {
                name: format!("{} at {:e}", point.method, point.lr),
                optimizer: OptimizerSettings {
                    lr: point.lr,
                    ..self.settings(method)?
                },
                text_lr: None,
            })
        });
        let shared = &self.session;
        let first = points.first().context("a session needs a run")?;
        let (rank, alpha) = self.shape(&first.method)?;
        Ok(SessionSettings {
            rank,
            alpha,
            use_rslora: shared.use_rslora,
            dropout: shared.dropout,
            targets: shared.targets.clone(),
            batch_size: shared.batch_size,
            micro_batch_size: 0,
            gradient_checkpointing: false,
            half_precision: false,
            steps: shared.steps,
            seed: first.seed,
            runs: runs.collect::<Result<_>>()?,
            diagnostics: false,
            layer_diagnostics: false,
        })
    }
}

impl PlannedMethod {
    fn point(&self, lr: f64, seed: u32) -> SweepPoint {
        SweepPoint {
            method: self.name.clone(),
            lr,
            seed,
        }
    }

    fn of_preset(&self, steps: u32) -> Result<OptimizerSettings> {
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
    Some(three_figures(grid[best] * grid[best] / grid[inner]))
}

#[cfg(test)]
mod tests {
    use super::{super::super::settings, *};

    fn plan(methods: &str) -> Result<Plan> {
        let text = format!(
            r#"{{"session": {{"rank": 4, "alpha": 32, "dropout": 0, "targets": ["q_proj"], "batch_size": 4, "steps": 10}},
            "validation_examples": 8, "seeds": [0, 7], "extensions": 1, "methods": [{methods}]}}"#
        );
        let plan: Plan = settings::parse(&text)?;
        plan.validate().map(|()| plan)
    }

    #[test]
    fn all_mistakes_of_a_plan_are_told_at_once() {
        let methods = r#"{"name": "AdamW", "lrs": "1e-3", "beta": [0.9, 0.99]},
            {"preset": "sgd", "name": "SGD", "lrs": {"from": 1e-3, "to": "1e-1"}},
            {"preset": "sgd", "name": "SGD", "lrs": [1e-3, null]}"#;
        let error = format!("{:#}", plan(methods).unwrap_err());
        for mistake in [
            "line 2: methods[0] lacks preset",
            "line 2: methods[0].lrs is \"1e-3\"; it must be a list or an object",
            "line 2: methods[0].beta is no setting",
            "line 3: methods[1].lrs lacks per_decade",
            "line 3: methods[1].lrs.to is \"1e-1\"; it must be a number",
            "line 4: methods[2].lrs[1] is null; it must be a number",
            "p1.json",
        ] {
            assert!(error.contains(mistake), "{mistake}\nis not in\n{error}");
        }
        assert!(error.starts_with("6 mistakes"), "{error}");
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
        let first = plan.wanted(&[], 9.0);
        assert_eq!(first.len(), 3);
        // The larger the better: the grid is extended once, and no further.
        let mut results: Vec<SweepResult> = first
            .into_iter()
            .map(|p| {
                let loss = 1.0 - p.lr;
                result(p, loss)
            })
            .collect();
        let second = plan.wanted(&results, 9.0);
        assert_eq!(second.len(), 4);
        assert_eq!((second[3].lr, second[3].seed), (0.1, 0));
        results.push(result(second[3].clone(), 0.5));
        let third = plan.wanted(&results, 9.0);
        let others: Vec<f64> = third.iter().filter(|p| p.seed == 7).map(|p| p.lr).collect();
        assert_eq!(others, [1e-2, 1e-1]);
        Ok(())
    }

    #[test]
    fn all_seeds_go_over_the_grid_and_more_over_the_best() -> Result<()> {
        let mut plan = plan(r#"{"name": "AdamW", "preset": "adamw", "lrs": [1e-4, 1e-3, 1e-2]}"#)?;
        plan.seeds_over = SeedsOver::Grid;
        assert!(
            plan.validate()
                .is_err_and(|error| error.to_string().contains("extensions is 1"))
        );
        plan.extensions = 0;
        plan.seeds_at_best = vec![8, 9];
        plan.validate()?;
        let first = plan.wanted(&[], 9.0);
        assert_eq!(first.len(), 6);
        // Every second rate first, seed by seed.
        let order: Vec<Vec<f64>> = plan
            .in_order(&first)
            .iter()
            .map(|points| points.iter().map(|point| point.lr).collect())
            .collect();
        assert_eq!(
            order,
            [vec![1e-4, 1e-2], vec![1e-4, 1e-2], vec![1e-3], vec![1e-3]]
        );
        let done = |count: usize| -> Vec<SweepResult> {
            let points = first.iter().take(count).cloned();
            points
                .map(|point| {
                    let loss = 1.0 - point.lr;
                    result(point, loss)
                })
                .collect()
        };
        assert_eq!(plan.wanted(&done(5), 9.0).len(), 6);
        let all = plan.wanted(&done(6), 9.0);
        let more: Vec<(f64, u32)> = all[6..]
            .iter()
            .map(|point| (point.lr, point.seed))
            .collect();
        assert_eq!(more, [(1e-2, 8), (1e-2, 9)]);
        assert_eq!(plan.all_seeds(), [0, 7, 8, 9]);
        Ok(())
    }

    #[test]
    fn a_session_has_one_rank() -> Result<()> {
        let plan = plan(
            r#"{"name": "x", "preset": "sgd", "lrs": [1]}, {"name": "y", "preset": "sgd", "lrs": [1], "rank": 1, "alpha": 8},
               {"name": "z", "preset": "sgd", "lrs": [1]}"#,
        )?;
        let sessions = plan.in_order(&plan.wanted(&[], 9.0));
        let shapes: Vec<(usize, u32, f64)> = sessions
            .iter()
            .map(|points| {
                plan.session(points)
                    .map(|of| (points.len(), of.rank, of.alpha))
            })
            .collect::<Result<_>>()?;
        assert_eq!(shapes, [(2, 4, 32.0), (1, 1, 8.0)]);
        assert_eq!((plan.scale("x")?, plan.scale("y")?), (8.0, 8.0));
        Ok(())
    }

    #[test]
    fn a_method_takes_the_place_of_its_presets_numbers() -> Result<()> {
        let plan = plan(
            r#"{"name": "x", "preset": "scaled-adamw-paper", "lrs": [1e-4], "damping": 1e-2, "betas": [0.9, 0.999],
                "eps": 1e-3, "schedule": {"warmup_steps": 1, "decay": "cosine"}}"#,
        )?;
        let session = plan.session(&plan.wanted(&[], 9.0))?;
        let optimizer = session.runs[0].optimizer;
        assert_eq!(
            (optimizer.betas, optimizer.eps, optimizer.lr),
            ([0.9, 0.999], 1e-3, 1e-4)
        );
        assert_eq!(Plan::damping(&session), [Some(1e-2)]);
        assert_eq!(optimizer.schedule.warmup_steps, 1);
        assert!(plan.remarks()[0].starts_with("x: a warm-up of one step is none"));
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
                "methods[0].lr is no setting",
            ),
            (
                r#"{"name": "x", "preset": "adamw", "lrs": [1], "damping": 1e-2}"#,
                "has no preconditioner",
            ),
        ] {
            let error = format!("{:#}", plan(methods).unwrap_err());
            assert!(error.contains(words), "{error}");
        }
    }
}
