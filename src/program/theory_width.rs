//! Learning rates over width: the paper's section 4 on two toys.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use riemann_lora::theory::width::{Outcome, Preconditioner, Task, Toy, Trial, Zero};
use serde::{Deserialize, Serialize};

use super::chart::{Axis, LineChart, SIZE, Series, draw};
use super::result_file::ResultFile;

/// Find the best learning rates over the width of a layer, plain and preconditioned.
#[derive(Debug, Args)]
pub struct Width {
    /// Widths to try.
    #[arg(long, value_delimiter = ',', default_values_t = [64, 128, 256, 512, 1024, 2048, 4096])]
    widths: Vec<usize>,
    /// Rank of the adapters.
    #[arg(long, default_value_t = 4)]
    rank: usize,
    /// Steps of each training.
    #[arg(long, default_value_t = 30)]
    steps: u32,
    /// Draws of data and start; losses are their geometric means.
    #[arg(long, default_value_t = 3)]
    seeds: u32,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    /// File for the result; a picture of the same name, .svg, is put beside it.
    #[arg(long)]
    output: Option<PathBuf>,
}

/// What is compared.
struct Contender {
    name: &'static str,
    toy: Toy,
    zero: Zero,
    preconditioner: Preconditioner,
    ratio: Ratio,
}

/// lr_B / lr_A.
#[derive(Clone, Copy)]
enum Ratio {
    /// 1.
    One,
    /// n, with which the paper (after Hayou and others 2024) expects plain methods to be stable.
    Width,
    /// Powers of 4 from 1/4 to 4⁷.
    Free,
}

impl Ratio {
    fn values(self, width: usize) -> Vec<f64> {
        match self {
            Self::One => vec![1.0],
            Self::Width => vec![width as f64],
            Self::Free => (-1..=7).map(|power| 4f64.powi(power)).collect(),
        }
    }
}

const fn plain(name: &'static str, toy: Toy, zero: Zero, ratio: Ratio) -> Contender {
    Contender {
        name,
        toy,
        zero,
        preconditioner: Preconditioner::None,
        ratio,
    }
}

const fn scaled(
    name: &'static str,
    toy: Toy,
    zero: Zero,
    preconditioner: Preconditioner,
) -> Contender {
    Contender {
        name,
        toy,
        zero,
        preconditioner,
        ratio: Ratio::One,
    }
}

const CONTENDERS: [Contender; 12] = [
    plain("gd", Toy::Scalar, Zero::LoraB, Ratio::One),
    plain("gd_ratio_n", Toy::Scalar, Zero::LoraB, Ratio::Width),
    plain("gd_free_ratio", Toy::Scalar, Zero::LoraB, Ratio::Free),
    scaled(
        "scaled_gd",
        Toy::Scalar,
        Zero::LoraB,
        Preconditioner::Gradient,
    ),
    plain("gd_from_a_zero", Toy::Scalar, Zero::LoraA, Ratio::One),
    plain(
        "gd_from_a_zero_ratio_n",
        Toy::Scalar,
        Zero::LoraA,
        Ratio::Width,
    ),
    scaled(
        "scaled_gd_from_a_zero",
        Toy::Scalar,
        Zero::LoraA,
        Preconditioner::Gradient,
    ),
    plain("adam", Toy::Wide, Zero::LoraB, Ratio::One),
    plain("adam_ratio_n", Toy::Wide, Zero::LoraB, Ratio::Width),
    plain("adam_free_ratio", Toy::Wide, Zero::LoraB, Ratio::Free),
    scaled(
        "scaled_adam",
        Toy::Wide,
        Zero::LoraB,
        Preconditioner::Gradient,
    ),
    scaled(
        "scaled_adam_update",
        Toy::Wide,
        Zero::LoraB,
        Preconditioner::Update,
    ),
];

/// A loss of so much of that at the start is as good as any: below, rates differ by luck.
const GOOD: f64 = 1e-2;

/// The good rates of one contender at one width: those whose loss is at most [`GOOD`], or twice the
/// best where none is. Losses are geometric means over seeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Best {
    width: usize,
    /// Geometric mean of the good rates.
    lr_a: f64,
    lr_b: f64,
    lr_a_range: (f64, f64),
    ratio_range: (f64, f64),
    /// Of the best rate.
    best_lr_a: f64,
    best_loss: f64,
    /// Geometric means over seeds and good rates.
    features: f64,
    prediction: f64,
    change_by_a: f64,
    change_by_b: f64,
}

/// Geometric means over seeds at one pair of rates.
struct Cell {
    lr_a: f64,
    lr_b: f64,
    loss: f64,
    features: f64,
    prediction: f64,
    change_by_a: f64,
    change_by_b: f64,
}

/// Geometric mean; not finite where a value is not.
fn geometric_mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| {
        (sum + value.ln(), count + 1)
    });
    (sum / f64::from(count)).exp()
}

/// Smallest and largest.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}

impl Width {
    /// Runs the sweep.
    pub fn run(self) -> Result<()> {
        let widest = 1 << 16;
        if self
            .widths
            .iter()
            .any(|&width| !(8..=widest).contains(&width))
        {
            bail!("--widths must be whole numbers from 8 to {widest}");
        }
        if !(1..=8).contains(&self.rank) {
            bail!(
                "--rank must be from 1 to 8, the smallest width, and is {}",
                self.rank
            );
        }
        if self.steps == 0 || self.seeds == 0 {
            bail!("--steps and --seeds must be 1 or more");
        }
        let bar = ProgressBar::new((self.widths.len() * CONTENDERS.len()) as u64).with_style(
            ProgressStyle::with_template("{pos}/{len} {msg} {wide_bar} {eta} left")?,
        );
        let mut figures = serde_json::Map::new();
        let mut runs = serde_json::Map::new();
        for contender in &CONTENDERS {
            bar.set_message(contender.name);
            let mut bests = Vec::new();
            for &width in &self.widths {
                if let Some(best) = self.best(contender, width) {
                    bests.push(best);
                }
                bar.inc(1);
            }
            figures.insert(contender.name.into(), figure(&bests));
            runs.insert(contender.name.into(), serde_json::to_value(&bests)?);
        }
        bar.finish_and_clear();
        let result = ResultFile::new(&figures)?.with("runs", &runs)?;
        if let Some(path) = &self.output {
            result.write(
                path,
                Some(&draw(&picture(&result)?, (SIZE.0, SIZE.1 + 60))?),
            )?;
            eprintln!("{}", path.display());
        }
        if self.json {
            print!("{}", result.to_json()?);
        } else {
            println!("{}", serde_json::to_string_pretty(&figures)?);
        }
        Ok(())
    }

    fn best(&self, contender: &Contender, width: usize) -> Option<Best> {
        let &Contender {
            toy,
            zero,
            preconditioner,
            ratio,
            ..
        } = contender;
        let tasks: Vec<Task> = (0..self.seeds)
            .map(|seed| Task::new(toy, width, self.rank, seed))
            .collect();
        let cell = |lr_a: f64, lr_b: f64| {
            let (rank, steps) = (self.rank, self.steps);
            let train = |(seed, task): (u32, &Task)| {
                task.train(&Trial {
                    toy,
                    width,
                    rank,
                    steps,
                    seed,
                    zero,
                    preconditioner,
                    lr_a,
                    lr_b,
                })
            };
            let outcomes: Vec<Outcome> = (0..).zip(&tasks).map(train).collect();
            let mean = |of: fn(&Outcome) -> f64| geometric_mean(outcomes.iter().map(of));
            Cell {
                lr_a,
                lr_b,
                loss: mean(|outcome| outcome.loss.max(f64::MIN_POSITIVE)),
                features: mean(|outcome| outcome.features),
                prediction: mean(|outcome| outcome.prediction),
                change_by_a: mean(|outcome| outcome.change_by_a),
                change_by_b: mean(|outcome| outcome.change_by_b),
            }
        };
        let cells: Vec<Cell> = ratio
            .values(width)
            .into_iter()
            .flat_map(|ratio| rates().map(move |lr| (lr, lr * ratio)))
            .map(|(lr_a, lr_b)| cell(lr_a, lr_b))
            .collect();
        let best = cells
            .iter()
            .filter(|cell| cell.loss.is_finite())
            .min_by(|one, other| one.loss.total_cmp(&other.loss))?;
        let enough = GOOD.max(2.0 * best.loss);
        let good: Vec<&Cell> = cells.iter().filter(|cell| cell.loss <= enough).collect();
        let mean = |of: fn(&Cell) -> f64| geometric_mean(good.iter().map(|cell| of(cell)));
        Some(Best {
            width,
            lr_a: mean(|cell| cell.lr_a),
            lr_b: mean(|cell| cell.lr_b),
            lr_a_range: range(good.iter().map(|cell| cell.lr_a)),
            ratio_range: range(good.iter().map(|cell| cell.lr_b / cell.lr_a)),
            best_lr_a: best.lr_a,
            best_loss: best.loss,
            features: mean(|cell| cell.features),
            prediction: mean(|cell| cell.prediction),
            change_by_a: mean(|cell| cell.change_by_a),
            change_by_b: mean(|cell| cell.change_by_b),
        })
    }
}

/// Four a decade, from 10⁻⁶ to 10¹·⁵.
fn rates() -> impl Iterator<Item = f64> {
    (-24..=6).map(|quarter| 10f64.powf(f64::from(quarter) / 4.0))
}

/// Exponents of width, by least squares in logarithms: 0 does not depend on width.
fn figure(bests: &[Best]) -> serde_json::Value {
    let exponent = |of: &dyn Fn(&Best) -> f64| {
        let points: Vec<(f64, f64)> = bests
            .iter()
            .map(|best| ((best.width as f64).ln(), of(best).ln()))
            .filter(|(_, value)| value.is_finite())
            .collect();
        let count = points.len() as f64;
        let (x, y) = points
            .iter()
            .fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        let (x, y) = (x / count, y / count);
        let (mut product, mut square) = (0.0, 0.0);
        for point in &points {
            product += (point.0 - x) * (point.1 - y);
            square += (point.0 - x).powi(2);
        }
        (square > 0.0).then(|| (1000.0 * product / square).round() / 1000.0)
    };
    let by_width = |of: &dyn Fn(&Best) -> f64| {
        bests
            .iter()
            .map(|best| (best.width.to_string(), of(best).into()))
            .collect::<serde_json::Map<String, serde_json::Value>>()
    };
    serde_json::json!({
        "lr_a": by_width(&|best| best.lr_a),
        "lr_b": by_width(&|best| best.lr_b),
        "best_loss": by_width(&|best| best.best_loss),
        "features": by_width(&|best| best.features),
        "exponents_of_width": {
            "lr_a": exponent(&|best| best.lr_a),
            "lr_b": exponent(&|best| best.lr_b),
            "features": exponent(&|best| best.features),
            "change_by_a": exponent(&|best| best.change_by_a),
            "change_by_b": exponent(&|best| best.change_by_b),
        },
    })
}

/// Good rates over width; those of lr_B are lr_A's where the ratio is 1.
fn picture(result: &ResultFile) -> Result<LineChart> {
    let json: serde_json::Value = serde_json::from_str(&result.to_json()?)?;
    let mut series = Vec::new();
    for (key, name) in [
        ("gd", "GD"),
        ("scaled_gd_from_a_zero", "scaled GD, from A = 0"),
        ("adam", "Adam"),
        ("adam_ratio_n", "Adam, ratio n: A"),
        ("scaled_adam", "scaled Adam"),
        ("scaled_adam_update", "Adam, then scaled"),
    ] {
        let bests: Vec<Best> = serde_json::from_value(json["runs"][key].clone())?;
        let points = |of: fn(&Best) -> f64| {
            bests
                .iter()
                .map(|best| (best.width as f64, of(best)))
                .collect()
        };
        series.push(Series::dotted(name, points(|best| best.lr_a)));
        if key == "adam_ratio_n" {
            series.push(Series::dotted("Adam, ratio n: B", points(|best| best.lr_b)));
        }
    }
    Ok(LineChart {
        title: "Good learning rates over width (geometric mean of those that train)".into(),
        x: Axis::log("width n"),
        y: Axis::log("learning rate"),
        series,
    })
}
