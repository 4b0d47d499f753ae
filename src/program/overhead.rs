//! What the preconditioner adds to a step, in time and in bytes.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use riemann_lora::{
    data::{Batch, IGNORED_LABEL},
    model::Target,
    optim::OptimizerSettings,
    train::{RunSettings, Session, SessionSettings, StepTimes},
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    chart::{Axis, LineChart, SIZE, Series, draw},
    result_file::ResultFile,
};

/// Measure what the preconditioner adds to a training step.
#[derive(Debug, Args)]
pub struct Overhead {
    /// A GGUF file, or a folder with config.json, model.safetensors and tokenizer.json.
    model: PathBuf,
    /// Ranks to measure at.
    #[arg(long, value_delimiter = ',', default_values_t = [4, 8, 16, 64])]
    ranks: Vec<u32>,
    /// Tokens of a sequence.
    #[arg(long, default_value_t = 64)]
    sequence_length: usize,
    /// Sequences a step.
    #[arg(long, default_value_t = 4)]
    batch_size: usize,
    /// Pairs of steps that are measured, after two that are not.
    #[arg(long, default_value_t = 9)]
    steps: usize,
    /// Result file; a picture of the same name is put beside it.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Steps that fill caches.
const WARM_UP: usize = 2;

/// What was measured at one rank.
#[derive(Debug, Serialize)]
struct Measurement {
    rank: u32,
    /// Seconds of a whole step with the identity, median.
    plain_step: f64,
    /// Seconds of a whole step with the preconditioner, median.
    scaled_step: f64,
    /// Seconds of clipping and preconditioning with the identity, median.
    plain_part: f64,
    /// Seconds of clipping and preconditioning with the preconditioner, median.
    scaled_part: f64,
    /// Bytes of the optimizer's state with the preconditioner, less those without.
    extra_state_bytes: usize,
    /// Bytes of all Gram matrices, which live as long as one call.
    temporary_bytes: usize,
}

impl Measurement {
    /// A whole step with the preconditioner over one without. Both are the same code but for the
    /// part that preconditions, so the difference is taken of that part: differences of whole steps
    /// are smaller than their noise.
    fn ratio(&self) -> f64 {
        1.0 + (self.scaled_part - self.plain_part) / self.plain_step
    }
}

impl Overhead {
    /// Measures, prints and writes.
    pub async fn run(self) -> Result<()> {
        ensure!(self.steps > 0, "--steps is 0; it must be 1 or more");
        let base = super::load(&self.model).await?;
        let bar = ProgressBar::new((self.ranks.len() * (self.steps + WARM_UP)) as u64).with_style(
            ProgressStyle::with_template("{pos}/{len} pairs of steps {wide_bar} {eta} left")?,
        );
        let mut measurements = Vec::new();
        for &rank in &self.ranks {
            measurements.push(self.measure(&base, rank, &bar).await?);
        }
        bar.finish_and_clear();

        let mut figures = Map::new();
        for found in &measurements {
            let name = format!("step_time_ratio_r{}", found.rank);
            figures.insert(name, found.ratio().into());
        }
        let extra = measurements
            .iter()
            .map(|found| found.extra_state_bytes)
            .max();
        figures.insert("extra_state_bytes".into(), extra.unwrap_or(0).into());
        let file = ResultFile::new(&Value::Object(figures))?.with("measurements", &measurements)?;
        if self.json {
            print!("{}", file.to_json()?);
        } else {
            println!(
                "{:>4} {:>9} {:>14} {:>14} {:>7} {:>12}",
                "rank", "step, s", "identity, ms", "inverses, ms", "ratio", "extra bytes"
            );
            for found in &measurements {
                println!(
                    "{:>4} {:>9.3} {:>14.2} {:>14.2} {:>7.4} {:>12}",
                    found.rank,
                    found.plain_step,
                    found.plain_part * 1e3,
                    found.scaled_part * 1e3,
                    found.ratio(),
                    found.extra_state_bytes
                );
            }
        }
        if let Some(output) = &self.output {
            file.write(output, Some(&picture(&measurements)?))?;
        }
        Ok(())
    }

    /// Steps of a plain and a preconditioned session in turns, on the same batch.
    async fn measure(
        &self,
        base: &super::LoadedModel,
        rank: u32,
        bar: &ProgressBar,
    ) -> Result<Measurement> {
        let batch = self.batch(base.model.config.vocab_size);
        let session = |optimizer: OptimizerSettings| {
            let settings = SessionSettings {
                rank,
                alpha: f64::from(rank),
                use_rslora: false,
                dropout: 0.0,
                targets: vec![Target::QProj, Target::VProj],
                batch_size: self.batch_size as u32,
                micro_batch_size: 0,
                gradient_checkpointing: false,
                half_precision: false,
                steps: (self.steps + WARM_UP) as u32,
                seed: 0,
                runs: vec![RunSettings {
                    name: "run".into(),
                    optimizer,
                    text_lr: None,
                }],
                diagnostics: false,
                layer_diagnostics: false,
            };
            Session::new(&base.model, settings)
        };
        // Clipping is on in both, so that the part that preconditions is never empty.
        let clipped = |optimizer| OptimizerSettings {
            max_grad_norm: Some(1.0),
            ..optimizer
        };
        let mut plain = session(clipped(OptimizerSettings::adamw(1e-3)))?;
        let mut scaled = session(clipped(OptimizerSettings::scaled_adamw(1e-3)))?;
        let mut times: [Vec<StepTimes>; 2] = Default::default();
        for step in 0..self.steps + WARM_UP {
            for (session, times) in [&mut plain, &mut scaled].into_iter().zip(&mut times) {
                let report = session.step(&base.model, &batch).await?;
                if step >= WARM_UP {
                    times.push(report.seconds);
                }
            }
            bar.inc(1);
        }
        let [plain_times, scaled_times] = times;
        let banks = scaled.adapters().banks().count();
        let gram = (rank * rank) as usize * size_of::<f32>();
        Ok(Measurement {
            rank,
            plain_step: median(&plain_times, |times| times.total),
            scaled_step: median(&scaled_times, |times| times.total),
            plain_part: median(&plain_times, |times| times.precondition),
            scaled_part: median(&scaled_times, |times| times.precondition),
            extra_state_bytes: scaled.optimizer_bytes() - plain.optimizer_bytes(),
            temporary_bytes: 2 * banks * gram,
        })
    }

    /// Tokens that mean nothing: time does not depend on them.
    fn batch(&self, vocab_size: usize) -> Batch {
        let count = self.batch_size * self.sequence_length;
        let ids: Vec<i32> = (0..count).map(|i| (i * 7919 % vocab_size) as i32).collect();
        let mut labels = ids.clone();
        for row in labels.chunks_mut(self.sequence_length) {
            row[0] = IGNORED_LABEL;
        }
        Batch {
            ids,
            labels,
            rows: self.batch_size,
            tokens: self.sequence_length,
        }
    }
}

fn median(times: &[StepTimes], of: impl Fn(&StepTimes) -> f64) -> f64 {
    let mut values: Vec<f64> = times.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn picture(measurements: &[Measurement]) -> Result<String> {
    let points = measurements
        .iter()
        .map(|found| (f64::from(found.rank), (found.ratio() - 1.0) * 100.0));
    draw(
        &LineChart {
            title: "Time that the preconditioner adds to a training step".into(),
            x: Axis::log("rank"),
            y: Axis::linear("added time (%)"),
            series: vec![Series::dotted("this project", points.collect())],
        },
        SIZE,
    )
}
