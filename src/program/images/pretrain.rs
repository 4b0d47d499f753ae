//! Pretraining of the text-to-image model.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use riemann_lora::{
    data::BatchOrder,
    diffusion::{DiffusionPretraining, DiffusionSettings, FlowBatch, Pictures, Words},
    engine,
};
use serde::{Deserialize, Serialize};

use super::super::{
    pretrain::{folder::Folder, folder::Point, picture, thinned},
    result_file::ResultFile,
    stop::Stop,
};
use super::folder;

/// Steps between two checkpoints, which are also those between two validation losses.
const STEPS_BETWEEN_CHECKPOINTS: u32 = 250;
/// The random stream of the validation batch; those of the steps count from 0.
const VALIDATION_STREAM: u64 = u64::MAX;

/// Train all weights of a text-to-image model, as the page's was made.
///
/// It can be stopped and started again at any time.
#[derive(Debug, Args)]
pub struct Pretrain {
    /// Folder that scripts/make-icons filled.
    icons: PathBuf,
    /// JSON with `name` and `training`, see benchmarks/pretrain-diffusion.json.
    settings: PathBuf,
    /// Folder for the model, its checkpoint and its losses.
    folder: PathBuf,
    /// Folder of a model whose weights it begins with, instead of fresh ones.
    #[arg(long)]
    from: Option<PathBuf>,
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
    training: DiffusionSettings,
}

/// What came out.
#[derive(Debug, Serialize)]
struct Figures {
    parameters: usize,
    pictures: usize,
    steps: u32,
    epochs: f64,
    first_loss: Option<f32>,
    /// On combinations of colour and name that were not in the training.
    validation_loss: Option<f64>,
}

impl Pretrain {
    /// Trains to the last step and writes the model.
    pub async fn run(self) -> Result<()> {
        let name = self.settings.display().to_string();
        let text = std::fs::read(&self.settings).with_context(|| name.clone())?;
        let settings: Settings = serde_json::from_slice(&text).with_context(|| name.clone())?;
        let training_settings = &settings.training;
        let (device, _) = engine::start().await?;
        let kept = Folder::open(&self.folder)?;
        let (words, list) = folder::words(&self.icons)?;
        let model = &training_settings.model;
        ensure!(
            words.table_rows() == model.vocab_size,
            "vocab_size is {}, and the words of {} need {}",
            model.vocab_size,
            self.icons.display(),
            words.table_rows()
        );
        let pictures = folder::pictures(&self.icons.join("pretraining.safetensors"), model)?;
        let held_out = folder::pictures(&self.icons.join("combinations.safetensors"), model)?;

        let mut training = match kept.checkpoint()? {
            Some(bytes) => DiffusionPretraining::resume(&bytes, &device)?,
            None => {
                let mut training = DiffusionPretraining::new(training_settings.clone(), &device)?;
                if let Some(from) = &self.from {
                    let from = folder::Model::read(from, &device)?.weights;
                    ensure!(
                        from.config == *model,
                        "the model to begin with has another shape than the settings"
                    );
                    training.start_from(from);
                }
                training
            }
        };
        ensure!(
            training.settings() == training_settings,
            "{}: its checkpoint is of other settings; choose another folder, or delete it",
            self.folder.display()
        );
        let mut batches = Batches {
            order: BatchOrder::new(
                pictures.train().len(),
                training_settings.batch_size as usize,
                u64::from(training_settings.seed),
            )?,
            pictures: &pictures,
            words: &words,
            settings: training_settings,
        };
        let validation = batches.held_out(&held_out);
        let mut points = kept.points(training.steps_done())?;
        let stop = Stop::on_interrupt()?;
        let bar = ProgressBar::new(u64::from(training_settings.steps)).with_style(
            ProgressStyle::with_template("{pos}/{len} steps {msg} {wide_bar} {eta} left")?,
        );
        bar.set_position(u64::from(training.steps_done()));
        bar.reset_eta();
        while !training.is_finished() && !stop.is_asked() {
            let batch = batches.batch(training.steps_done());
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
                true => Some(training.evaluate(&validation).await?),
                false => None,
            };
            let point = Point {
                step: report.step,
                loss: report.loss,
                validation_loss,
            };
            kept.add(&point)?;
            points.push(point);
            if validation_loss.is_some() {
                kept.keep(&training.checkpoint().await?)?;
                folder::write(&self.folder, training.average(), &list).await?;
            }
        }
        bar.finish_and_clear();
        if stop.is_asked() {
            kept.keep(&training.checkpoint().await?)?;
            eprintln!("Stopped; the same command goes on from there.");
            std::process::exit(Stop::EXIT_CODE);
        }
        let figures = Figures {
            parameters: training.average().parameters(),
            pictures: pictures.train().len(),
            steps: training.steps_done(),
            epochs: batches.order.epochs(u64::from(training.steps_done())),
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
                        "Pretraining of the text-to-image model",
                        "mean squared error of the velocity",
                        &points,
                    )?),
                ),
            None => Ok(()),
        }
    }
}

/// Any step's batch.
struct Batches<'a> {
    order: BatchOrder,
    pictures: &'a Pictures,
    words: &'a Words,
    settings: &'a DiffusionSettings,
}

impl Batches<'_> {
    fn batch(&mut self, step: u32) -> FlowBatch {
        let indices = self.order.indices(u64::from(step));
        FlowBatch::draw(
            self.pictures,
            &indices,
            (self.words, self.settings.model.caption_length),
            self.settings.caption_dropout,
            (u64::from(self.settings.seed), u64::from(step)),
        )
    }

    fn held_out(&self, pictures: &Pictures) -> FlowBatch {
        let indices: Vec<usize> = pictures.validation().collect();
        let words = (self.words, self.settings.model.caption_length);
        FlowBatch::draw(pictures, &indices, words, 0.0, (0, VALIDATION_STREAM))
    }
}
