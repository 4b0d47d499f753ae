//! Pretraining of the text-to-image model.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use riemann_lora::{
    data::BatchOrder,
    diffusion::{DiffusionPretraining, DiffusionSettings, FlowBatch, Pictures, Words},
    engine,
    pretrain::PretrainReport,
};
use serde::{Deserialize, Serialize};

use super::super::pretrain::{
    course::{Course, ends, report, train},
    folder::Folder,
};
use super::folder;

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

        let training = match kept.checkpoint()? {
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
        let batches = Batches {
            order: BatchOrder::new(
                pictures.train().len(),
                training_settings.batch_size as usize,
                u64::from(training_settings.seed),
            )?,
            pictures: &pictures,
            words: &words,
            settings: training_settings,
        };
        let mut course = PictureCourse {
            validation: batches.held_out(&held_out),
            training,
            batches,
            folder: &self.folder,
            list: &list,
        };
        let points = train(&mut course, &kept).await?;
        let (first_loss, validation_loss) = ends(&points);
        let steps = course.steps_done();
        let figures = Figures {
            parameters: course.training.average().parameters(),
            pictures: pictures.train().len(),
            steps,
            epochs: course.batches.order.epochs(u64::from(steps)),
            first_loss,
            validation_loss,
        };
        let titles = (
            "Pretraining of the text-to-image model",
            "mean squared error of the velocity",
        );
        report(
            (&figures, &settings),
            &points,
            titles,
            self.result.as_deref(),
        )
    }
}

/// A text-to-image model with its pictures.
struct PictureCourse<'a> {
    training: DiffusionPretraining,
    batches: Batches<'a>,
    validation: FlowBatch,
    folder: &'a Path,
    /// The model's words, one a line.
    list: &'a str,
}

impl Course for PictureCourse<'_> {
    fn steps_done(&self) -> u32 {
        self.training.steps_done()
    }

    fn steps(&self) -> u32 {
        self.training.settings().steps
    }

    async fn step(&mut self) -> Result<PretrainReport> {
        let batch = self.batches.batch(self.training.steps_done());
        Ok(self.training.step(&batch).await?)
    }

    async fn validation_loss(&self) -> Result<Option<f64>> {
        Ok(Some(self.training.evaluate(&self.validation).await?))
    }

    async fn checkpoint(&self) -> Result<Vec<u8>> {
        Ok(self.training.checkpoint().await?)
    }

    async fn write_model(&self) -> Result<()> {
        folder::write(self.folder, self.training.average(), self.list).await
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
