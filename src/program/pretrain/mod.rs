//! Pretraining of a small model from a text alone.

pub(super) mod course;
pub(super) mod folder;
mod losses;
mod tokenizer;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use riemann_lora::{
    data::{Batches, DataSettings, Dataset},
    engine,
    pretrain::{PretrainReport, PretrainSettings, Pretraining},
    train::Evaluation,
};
use serde::{Deserialize, Serialize};

use self::{
    course::{Course, ends, report, train},
    folder::Folder,
    tokenizer::train_tokenizer,
};

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
        let training = match folder.checkpoint()? {
            Some(bytes) => Pretraining::resume(&bytes, &device)?,
            None => Pretraining::new(settings.training.clone(), &device)?,
        };
        ensure!(
            *training.settings() == settings.training,
            "{}: its checkpoint is of other settings; choose another folder, or delete it",
            self.folder.display()
        );
        let rows = settings.training.batch_size as usize;
        let mut course = LanguageCourse {
            batches: dataset.train_batches(rows)?,
            training,
            dataset: &dataset,
            folder: &folder,
            name: &settings.name,
        };
        let points = train(&mut course, &folder).await?;
        let (first_loss, validation_loss) = ends(&points);
        let steps = course.steps_done();
        let figures = Figures {
            parameters: settings.training.model.parameters(),
            train_tokens: dataset.statistics().train_tokens,
            steps,
            epochs: course.batches.order().epochs(u64::from(steps)),
            first_loss,
            validation_loss,
        };
        let titles = ("Pretraining of the tiny model", "loss (nats a token)");
        report(
            (&figures, &settings),
            &points,
            titles,
            self.result.as_deref(),
        )
    }
}

/// A small Llama with its text.
struct LanguageCourse<'a> {
    training: Pretraining,
    batches: Batches,
    dataset: &'a Dataset,
    folder: &'a Folder,
    name: &'a str,
}

impl Course for LanguageCourse<'_> {
    fn steps_done(&self) -> u32 {
        self.training.steps_done()
    }

    fn steps(&self) -> u32 {
        self.training.settings().steps
    }

    async fn step(&mut self) -> Result<PretrainReport> {
        let batch = self.batches.batch(u64::from(self.training.steps_done()));
        Ok(self.training.step(&batch).await?)
    }

    async fn validation_loss(&self) -> Result<Option<f64>> {
        let mut evaluation = Evaluation::new(1);
        let (data, rows) = (self.dataset, self.batches.order().rows());
        for batch in data.validation_batches(data.validation().len(), rows)? {
            evaluation.add(&self.training.evaluate(&batch).await?);
        }
        Ok(evaluation.means(&[None]).into_iter().flatten().next())
    }

    async fn checkpoint(&self) -> Result<Vec<u8>> {
        Ok(self.training.checkpoint().await?)
    }

    async fn write_model(&self) -> Result<()> {
        let config = &self.training.settings().model;
        let weights = self.training.weights();
        self.folder.write_model(self.name, config, weights).await
    }
}
