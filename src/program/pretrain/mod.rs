//! Pretraining of a small model from a text alone.

pub(super) mod folder;
mod tokenizer;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use riemann_lora::{
    data::{DataSettings, Dataset},
    engine,
    pretrain::{PretrainSettings, Pretraining},
    train::Evaluation,
};
use serde::{Deserialize, Serialize};

use self::{
    folder::{Folder, Point},
    tokenizer::train_tokenizer,
};
use super::{
    chart::{Axis, LineChart, SIZE, Series, draw},
    result_file::ResultFile,
    stop::Stop,
};

/// Steps between two checkpoints, which are also those between two validation losses.
const STEPS_BETWEEN_CHECKPOINTS: u32 = 250;

/// Train a tokenizer and all weights of a small Llama from a text, as the page's tiny model was made.
///
/// It can be stopped and started again at any time.
#[derive(Debug, Args)]
pub struct Pretrain {
    /// The text; blank lines end documents.
    text: PathBuf,
    /// JSON with `name`, `training` and `data`, see benchmarks/pretrain-language.json.
    settings: PathBuf,
    /// Folder for the model, its checkpoint and its losses.
    folder: PathBuf,
    /// Result file with the losses; a picture of the same name is put beside it.
    #[arg(long)]
    result: Option<PathBuf>,
}

/// What the settings file holds.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// What the model is called.
    name: String,
    training: PretrainSettings,
    data: DataSettings,
}

/// What came out.
#[derive(Debug, Serialize)]
struct Figures {
    parameters: u64,
    train_tokens: usize,
    steps: u32,
    epochs: f64,
    first_loss: Option<f32>,
    validation_loss: Option<f64>,
}

impl Pretrain {
    /// Trains to the last step and writes the model.
    pub async fn run(self) -> Result<()> {
        let name = self.settings.display().to_string();
        let text = std::fs::read(&self.settings).with_context(|| name.clone())?;
        let settings: Settings = serde_json::from_slice(&text).with_context(|| name.clone())?;
        let (device, _) = engine::start().await?;
        let folder = Folder::open(&self.folder)?;
        let bytes = std::fs::read(&self.text).with_context(|| self.text.display().to_string())?;

        let vocab_size = settings.training.model.vocab_size;
        let tokenizer = folder.tokenizer(|| train_tokenizer(&bytes, vocab_size))?;
        let file = self.text.file_name().unwrap_or_default().to_string_lossy();
        let dataset = Dataset::build(&file, bytes, &settings.data, &tokenizer)?;
        let rows = settings.training.batch_size as usize;
        let mut batches = dataset.train_batches(rows)?;

        let mut training = match folder.checkpoint()? {
            Some(bytes) => Pretraining::resume(&bytes, &device)?,
            None => Pretraining::new(settings.training.clone(), &device)?,
        };
        ensure!(
            *training.settings() == settings.training,
            "{}: its checkpoint is of other settings; choose another folder, or delete it",
            self.folder.display()
        );
        let mut points = folder.points(training.steps_done())?;
        let stop = Stop::on_interrupt()?;
        let bar = ProgressBar::new(u64::from(settings.training.steps)).with_style(
            ProgressStyle::with_template("{pos}/{len} steps {msg} {wide_bar} {eta} left")?,
        );
        bar.set_position(u64::from(training.steps_done()));
        bar.reset_eta();
        while !training.is_finished() && !stop.is_asked() {
            let batch = batches.batch(u64::from(training.steps_done()));
            let report = training.step(&batch).await?;
            ensure!(
                report.loss.is_finite(),
                "the loss is no longer finite at step {}; lower lr",
                report.step
            );
            bar.set_position(u64::from(report.step));
            bar.set_message(format!("loss {:.3}", report.loss));
            let due = report.step.is_multiple_of(STEPS_BETWEEN_CHECKPOINTS);
            let validation_loss = match due || training.is_finished() {
                true => evaluate(&training, &dataset, rows).await?,
                false => None,
            };
            let point = Point {
                step: report.step,
                loss: report.loss,
                validation_loss,
            };
            folder.add(&point)?;
            points.push(point);
            if validation_loss.is_some() {
                folder.keep(&training.checkpoint().await?)?;
            }
        }
        bar.finish_and_clear();
        if stop.is_asked() {
            folder.keep(&training.checkpoint().await?)?;
            eprintln!("Stopped; the same command goes on from there.");
            std::process::exit(Stop::EXIT_CODE);
        }
        folder
            .write_model(&settings.name, &settings.training.model, training.weights())
            .await?;
        let figures = Figures {
            parameters: settings.training.model.parameters(),
            train_tokens: dataset.statistics().train_tokens,
            steps: training.steps_done(),
            epochs: batches.order().epochs(u64::from(training.steps_done())),
            first_loss: points.first().map(|point| point.loss),
            validation_loss: points.iter().rev().find_map(|point| point.validation_loss),
        };
        println!("{}", serde_json::to_string(&figures)?);
        match &self.result {
            Some(path) => ResultFile::new(&figures)?
                .with("settings", &settings)?
                .with("losses", &thinned(&points))?
                .write(
                    path,
                    Some(&picture(
                        "Pretraining of the tiny model",
                        "loss (nats a token)",
                        &points,
                    )?),
                ),
            None => Ok(()),
        }
    }
}

async fn evaluate(training: &Pretraining, data: &Dataset, rows: usize) -> Result<Option<f64>> {
    let mut evaluation = Evaluation::new(1);
    for batch in data.validation_batches(data.validation().len(), rows)? {
        evaluation.add(&training.evaluate(&batch).await?);
    }
    Ok(evaluation.means(&[None]).into_iter().flatten().next())
}

/// Every twentieth step and all validation losses: enough for the eye.
pub(super) fn thinned(points: &[Point]) -> Vec<&Point> {
    let shown = |point: &&Point| point.step % 20 == 1 || point.validation_loss.is_some();
    points.iter().filter(shown).collect()
}

/// Training and validation losses as a picture.
pub(super) fn picture(title: &str, loss: &str, points: &[Point]) -> Result<String> {
    let line = |name: &str, value: &dyn Fn(&Point) -> Option<f64>| {
        let values = points
            .iter()
            .filter_map(|p| Some((f64::from(p.step), value(p)?)));
        Series::line(name.to_owned(), values.collect())
    };
    let shown = |point: &Point| (point.step % 20 == 1).then_some(f64::from(point.loss));
    draw(
        &LineChart {
            title: title.into(),
            x: Axis::linear("step"),
            y: Axis::linear(loss),
            series: vec![
                line("training", &shown),
                line("validation", &|point| point.validation_loss),
            ],
        },
        SIZE,
    )
}
