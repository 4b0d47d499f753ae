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
    /// Seed of data and start.
    #[arg(long, default_value_t = 0)]
    seed: u32,
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
    /// Whether lr_B / lr_A is searched too.
    free_ratio: bool,
}

const fn contender(
    name: &'static str,
    toy: Toy,
    zero: Zero,
    preconditioner: Preconditioner,
    free_ratio: bool,
) -> Contender {
    Contender {
        name,
        toy,
        zero,
        preconditioner,
        free_ratio,
    }
}

const CONTENDERS: [Contender; 10] = [
    contender("gd", Toy::Scalar, Zero::LoraB, Preconditioner::None, false),
    contender(
        "gd_free_ratio",
        Toy::Scalar,
        Zero::LoraB,
        Preconditioner::None,
        true,
    ),
    contender(
        "scaled_gd",
        Toy::Scalar,
        Zero::LoraB,
        Preconditioner::Gradient,
        false,
    ),
    contender(
        "gd_from_a_zero",
        Toy::Scalar,
        Zero::LoraA,
        Preconditioner::None,
        false,
    ),
    contender(
        "gd_from_a_zero_free_ratio",
        Toy::Scalar,
        Zero::LoraA,
        Preconditioner::None,
        true,
    ),
    contender(
        "scaled_gd_from_a_zero",
        Toy::Scalar,
        Zero::LoraA,
        Preconditioner::Gradient,
        false,
    ),
    contender("adam", Toy::Wide, Zero::LoraB, Preconditioner::None, false),
    contender(
        "adam_free_ratio",
        Toy::Wide,
        Zero::LoraB,
        Preconditioner::None,
        true,
    ),
    contender(
        "scaled_adam",
        Toy::Wide,
        Zero::LoraB,
        Preconditioner::Gradient,
        false,
    ),
    contender(
        "scaled_adam_update",
        Toy::Wide,
        Zero::LoraB,
        Preconditioner::Update,
        false,
    ),
];

/// The best of one contender at one width.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Best {
    width: usize,
    lr_a: f64,
    lr_b: f64,
    /// Smallest and largest lr_A, at the best ratio, whose loss is at most twice the best.
    lr_a_range: (f64, f64),
    #[serde(flatten)]
    outcome: Outcome,
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
        if self.steps == 0 {
            bail!("--steps must be 1 or more");
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
            free_ratio,
            ..
        } = contender;
        let task = Task::new(toy, width, self.rank, self.seed);
        let trial = |lr_a: f64, lr_b: f64| {
            let (rank, steps, seed) = (self.rank, self.steps, self.seed);
            let trial = Trial {
                toy,
                width,
                rank,
                steps,
                seed,
                zero,
                preconditioner,
                lr_a,
                lr_b,
            };
            (lr_a, lr_b, task.train(&trial))
        };
        let ratios: Vec<f64> = match free_ratio {
            true => (-1..=7).map(|power| 4f64.powi(power)).collect(),
            false => vec![1.0],
        };
        let tried: Vec<Vec<(f64, f64, Outcome)>> = ratios
            .iter()
            .map(|ratio| rates().map(|lr| trial(lr, lr * ratio)).collect())
            .collect();
        let finite = |line: &[(f64, f64, Outcome)]| {
            line.iter()
                .filter(|(.., outcome)| outcome.loss.is_finite())
                .min_by(|one, other| one.2.loss.total_cmp(&other.2.loss))
                .copied()
        };
        let (line, (lr_a, lr_b, outcome)) = tried
            .iter()
            .filter_map(|line| Some((line, finite(line)?)))
            .min_by(|one, other| one.1.2.loss.total_cmp(&other.1.2.loss))?;
        let near: Vec<f64> = line
            .iter()
            .filter(|(.., near)| near.loss <= 2.0 * outcome.loss)
            .map(|(lr, ..)| *lr)
            .collect();
        let lr_a_range = (*near.first()?, *near.last()?);
        Some(Best {
            width,
            lr_a,
            lr_b,
            lr_a_range,
            outcome,
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
        "best_lr_a": by_width(&|best| best.lr_a),
        "best_lr_b": by_width(&|best| best.lr_b),
        "loss": by_width(&|best| best.outcome.loss),
        "features": by_width(&|best| best.outcome.features),
        "exponents_of_width": {
            "lr_a": exponent(&|best| best.lr_a),
            "lr_b": exponent(&|best| best.lr_b),
            "features": exponent(&|best| best.outcome.features),
            "change_by_a": exponent(&|best| best.outcome.change_by_a),
            "change_by_b": exponent(&|best| best.outcome.change_by_b),
        },
    })
}

/// Best lr_A over width; those of lr_B are lr_A's where the ratio is not free.
fn picture(result: &ResultFile) -> Result<LineChart> {
    let json: serde_json::Value = serde_json::from_str(&result.to_json()?)?;
    let mut series = Vec::new();
    for (key, name) in [
        ("gd", "GD"),
        ("scaled_gd_from_a_zero", "scaled GD, from A = 0"),
        ("adam", "Adam"),
        ("adam_free_ratio", "Adam, free ratio: A"),
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
        if key == "adam_free_ratio" {
            series.push(Series::dotted(
                "Adam, free ratio: B",
                points(|best| best.lr_b),
            ));
        }
    }
    Ok(LineChart {
        title: "Best learning rate over width".into(),
        x: Axis::log("width n"),
        y: Axis::log("learning rate"),
        series,
    })
}
