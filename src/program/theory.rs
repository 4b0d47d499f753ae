//! Condition numbers and convergence: the paper's Theorem 7.4 on small problems.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use riemann_lora::theory::{
    TheoryMethod, TheoryProblem, TheoryProblemKind, TheoryStart,
    problem::{Problem, TheoryGeometry},
    search::{Curve, MOST_ITERATIONS, Search, TARGET, grid, run},
};
use serde::Serialize;

use super::chart::{Axis, LineChart, SIZE, Series, draw};
use super::result_file::ResultFile;
use super::theory_width::Width;

/// Count the iterations of GD and scaled GD over the condition numbers of the planted change and of
/// the data, each method at its best learning rate.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Theory {
    #[command(subcommand)]
    other: Option<Other>,
    /// Condition numbers to try, each for the planted change and, apart from it, for the data.
    #[arg(long, value_delimiter = ',', default_values_t = [1.0, 10.0, 100.0])]
    conditions: Vec<f64>,
    /// Rank of the planted change and of the adapters.
    #[arg(long, default_value_t = 2)]
    rank: u32,
    /// Draws of each problem; figures are their medians.
    #[arg(long, default_value_t = 5)]
    seeds: u32,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    /// File for the result; a picture of the same name, .svg, is put beside it.
    #[arg(long)]
    output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// Find the best learning rates over the width of a layer.
    Width(Width),
}

const PROBLEMS: [TheoryProblemKind; 3] = [
    TheoryProblemKind::TwoLayerRelu,
    TheoryProblemKind::LowRankRecovery,
    TheoryProblemKind::DisjointPatterns,
];

/// One method on one problem over all seeds.
#[derive(Debug, Serialize)]
struct Row {
    problem: TheoryProblemKind,
    start: TheoryStart,
    planted_condition: f64,
    data_condition: f64,
    method: TheoryMethod,
    /// Of each seed; `None` where the target was not reached.
    iterations: Vec<Option<u32>>,
    best_lr: Vec<f64>,
    /// Learning rates of the grid that reached the target.
    rates_that_arrived: Vec<usize>,
    error: Vec<f64>,
    recovery: Vec<f64>,
}

impl Row {
    /// Median, in which not to have arrived is longer than any number; of an even number of seeds
    /// the upper one.
    fn median(&self) -> Option<u32> {
        let mut sorted = self.iterations.clone();
        sorted.sort_by_key(|found| found.unwrap_or(u32::MAX));
        sorted.get(sorted.len() / 2).copied().flatten()
    }
}

impl Theory {
    /// Runs the sweep.
    pub fn run(self) -> Result<()> {
        if let Some(Other::Width(width)) = self.other {
            return width.run();
        }
        if self.seeds == 0 || self.conditions.is_empty() {
            bail!("--seeds and --conditions must not be empty: there would be nothing to measure");
        }
        let cases = self.cases();
        // All settings are checked before the first minute is spent.
        for case in &cases {
            case.check()?;
        }
        let bar = ProgressBar::new(cases.len() as u64 * u64::from(self.seeds)).with_style(
            ProgressStyle::with_template("{pos}/{len} problems {wide_bar} {eta} left")?,
        );
        let mut rows = Vec::new();
        let mut geometries: Vec<(TheoryProblemKind, f64, TheoryGeometry)> = Vec::new();
        let mut curves: BTreeMap<String, Curve> = BTreeMap::new();
        for case in &cases {
            let mut found: Vec<Row> = TheoryMethod::ALL.map(|method| row(case, method)).into();
            for seed in 0..self.seeds {
                let problem = Problem::new(&TheoryProblem {
                    seed,
                    ..case.clone()
                })?;
                if seed == 0 && case.planted_condition == 1.0 && case.start == TheoryStart::Lora {
                    geometries.push((case.problem, case.data_condition, problem.geometry()));
                }
                for row in &mut found {
                    let best = search(&problem, row)?;
                    if seed == 0 && is_drawn(case) {
                        let (_, curve) = run(&problem, row.method, best, MOST_ITERATIONS)?;
                        curves.insert(label(case, row.method), thinned(curve));
                    }
                }
                bar.inc(1);
            }
            rows.extend(found);
        }
        bar.finish_and_clear();
        self.tell(&rows, &geometries, &curves)
    }

    fn cases(&self) -> Vec<TheoryProblem> {
        let mut cases: Vec<TheoryProblem> = Vec::new();
        for start in [TheoryStart::Lora, TheoryStart::Spectral] {
            for problem in PROBLEMS {
                for &condition in &self.conditions {
                    for (planted_condition, data_condition) in [(condition, 1.0), (1.0, condition)]
                    {
                        let case = TheoryProblem {
                            problem,
                            planted_condition,
                            data_condition,
                            rank: self.rank,
                            start,
                            ..TheoryProblem::default()
                        };
                        if !cases.contains(&case) {
                            cases.push(case);
                        }
                    }
                }
            }
        }
        cases
    }

    fn tell(
        &self,
        rows: &[Row],
        geometries: &[(TheoryProblemKind, f64, TheoryGeometry)],
        curves: &BTreeMap<String, Curve>,
    ) -> Result<()> {
        let mut figures = serde_json::Map::new();
        for (key, problem, start) in [
            ("", TheoryProblemKind::TwoLayerRelu, TheoryStart::Lora),
            (
                "low_rank_recovery",
                TheoryProblemKind::LowRankRecovery,
                TheoryStart::Lora,
            ),
            (
                "disjoint_patterns",
                TheoryProblemKind::DisjointPatterns,
                TheoryStart::Lora,
            ),
            (
                "spectral_start",
                TheoryProblemKind::TwoLayerRelu,
                TheoryStart::Spectral,
            ),
        ] {
            let group = iterations(rows, problem, start);
            match key {
                "" => figures.extend(group),
                _ => {
                    figures.insert(key.into(), group.into());
                }
            }
        }
        let geometries: Vec<_> = geometries
            .iter()
            .map(|(problem, data_condition, geometry)| {
                serde_json::json!({ "problem": problem, "asked_data_condition": data_condition, "geometry": geometry })
            })
            .collect();
        let result = ResultFile::new(&figures)?
            .with("target", &TARGET)?
            .with("most_iterations", &MOST_ITERATIONS)?
            .with("learning_rates", &grid())?
            .with("runs", &rows)?
            .with("geometry_of_seed_0", &geometries)?
            .with("curves_of_seed_0", &curves)?;
        if let Some(path) = &self.output {
            result.write(path, Some(&draw(&picture(&result)?, SIZE)?))?;
            eprintln!("{}", path.display());
        }
        if self.json {
            print!("{}", result.to_json()?);
        } else {
            print_table(rows);
        }
        Ok(())
    }
}

fn row(case: &TheoryProblem, method: TheoryMethod) -> Row {
    Row {
        problem: case.problem,
        start: case.start,
        planted_condition: case.planted_condition,
        data_condition: case.data_condition,
        method,
        iterations: Vec::new(),
        best_lr: Vec::new(),
        rates_that_arrived: Vec::new(),
        error: Vec::new(),
        recovery: Vec::new(),
    }
}

/// Adds a seed's best to its row; answers the best learning rate.
fn search(problem: &Problem, row: &mut Row) -> Result<f64> {
    let rates = grid();
    let mut search = Search::new(problem, row.method, &rates, MOST_ITERATIONS);
    while search.advance()? {}
    let Some(best) = search.best() else {
        bail!("the grid of learning rates is empty");
    };
    row.iterations.push(best.iterations);
    row.best_lr.push(best.lr);
    row.error.push(best.error);
    row.recovery.push(best.recovery);
    row.rates_that_arrived.push(search.arrived().len());
    Ok(best.lr)
}

/// `METHOD_iterations` by `planted_condition` and `data_condition`.
fn iterations(
    rows: &[Row],
    problem: TheoryProblemKind,
    start: TheoryStart,
) -> serde_json::Map<String, serde_json::Value> {
    let mut figures = serde_json::Map::new();
    for method in TheoryMethod::ALL {
        let mut planted = serde_json::Map::new();
        let mut data = serde_json::Map::new();
        let mine =
            |row: &&Row| row.problem == problem && row.start == start && row.method == method;
        for row in rows.iter().filter(mine) {
            if row.data_condition == 1.0 {
                planted.insert(row.planted_condition.to_string(), row.median().into());
            }
            if row.planted_condition == 1.0 {
                data.insert(row.data_condition.to_string(), row.median().into());
            }
        }
        figures.insert(
            format!("{}_iterations", method.name()),
            serde_json::json!({ "planted_condition": planted, "data_condition": data }),
        );
    }
    figures
}

/// As many points as a logarithmic axis shows, errors to four digits.
fn thinned(curve: Curve) -> Curve {
    let end = curve.last().map(|point| point.0);
    let mut last = 0;
    curve
        .into_iter()
        .filter(|&(at, _)| {
            let kept = at <= 30 || at >= last + last / 25 || Some(at) == end;
            if kept {
                last = at;
            }
            kept
        })
        .map(|(at, error)| (at, format!("{error:.3e}").parse().unwrap_or(error)))
        .collect()
}

fn is_drawn(case: &TheoryProblem) -> bool {
    case.problem == TheoryProblemKind::TwoLayerRelu && case.start == TheoryStart::Lora
}

fn label(case: &TheoryProblem, method: TheoryMethod) -> String {
    let TheoryProblem {
        planted_condition,
        data_condition,
        ..
    } = case;
    format!(
        "{}, planted {planted_condition}, data {data_condition}",
        method.name()
    )
}

/// The curves of the result's JSON that tell the story: an ill-conditioned change, then ill-conditioned data.
fn picture(result: &ResultFile) -> Result<LineChart> {
    let json: serde_json::Value = serde_json::from_str(&result.to_json()?)?;
    let curves: BTreeMap<String, Curve> = serde_json::from_value(json["curves_of_seed_0"].clone())?;
    let names = |name: &str| {
        name.replace("data_scaled_gd", "data-scaled GD")
            .replace("tangent_gd", "tangent GD")
            .replace("scaled_gd", "scaled GD")
            .replace("gd,", "GD,")
            .replace("planted", "κ change")
            .replace("data 1", "κ data 1")
    };
    let wanted = [
        ("planted 1", "data 1"),
        ("planted 100", "data 1"),
        ("planted 1", "data 100"),
    ];
    let mut series = Vec::new();
    for (planted, data) in wanted {
        for method in TheoryMethod::ALL {
            let key = format!("{}, {planted}, {data}", method.name());
            // Without ill-conditioned data the third method does what the second does.
            if method == TheoryMethod::DataScaledGd && data == "data 1" {
                continue;
            }
            // Four curves a case are more than a picture tells apart; its numbers are in the table.
            if method == TheoryMethod::TangentGd {
                continue;
            }
            if let Some(curve) = curves.get(&key) {
                let points = curve
                    .iter()
                    .map(|&(at, error)| (f64::from(at.max(1)), error));
                series.push(Series::line(names(&key), points.collect()));
            }
        }
    }
    if series.is_empty() {
        // Other condition numbers were asked for.
        series = curves
            .iter()
            .map(|(name, curve)| {
                let points = curve
                    .iter()
                    .map(|&(at, error)| (f64::from(at.max(1)), error));
                Series::line(names(name), points.collect())
            })
            .collect();
    }
    Ok(LineChart {
        title: "Two-layer ReLU: error over iterations, each method at its best learning rate"
            .into(),
        x: Axis::log("iterations"),
        y: Axis::log("relative error"),
        series,
    })
}

/// As JSON spells it.
fn name(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

fn print_table(rows: &[Row]) {
    println!(
        "{:18} {:9} {:>8} {:>6} {:>15} {:>11} {:>9}",
        "problem", "start", "planted", "data", "method", "iterations", "best lr"
    );
    for row in rows {
        let median = row.median().map_or("–".into(), |found| found.to_string());
        println!(
            "{:18} {:9} {:>8} {:>6} {:>15} {:>11} {:>9.3}",
            name(&row.problem),
            name(&row.start),
            row.planted_condition,
            row.data_condition,
            row.method.name(),
            median,
            row.best_lr.first().copied().unwrap_or(f64::NAN),
        );
    }
}
