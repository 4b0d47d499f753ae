//! Training from the terminal.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use riemann_lora::{
    data::{DataSettings, Dataset},
    messages::SessionSettings,
    peft,
    train::Session,
};
use serde::Deserialize;

/// Train runs on a text and write every step as JSON lines.
#[derive(Debug, Args)]
pub struct Train {
    /// A GGUF file, or a folder with config.json, model.safetensors and tokenizer.json.
    model: PathBuf,
    /// Text, pairs, JSON lines or a table.
    data: PathBuf,
    /// JSON with `session` (the page's settings, runs included) and `data`; `-` reads it from the
    /// standard input.
    settings: PathBuf,
    /// Measure the validation loss every so many steps, and at the end.
    #[arg(long)]
    evaluate_every: Option<u32>,
    /// Folder for the adapters, one PEFT folder a run.
    #[arg(long)]
    output: Option<PathBuf>,
}

/// What the settings file holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    session: SessionSettings,
    #[serde(default)]
    data: DataSettings,
}

impl Train {
    /// Trains all runs; prints a line of JSON a step, and one an evaluation.
    pub async fn run(self) -> Result<()> {
        let name = self.settings.display().to_string();
        let reader: Box<dyn Read> = match name.as_str() {
            "-" => Box::new(std::io::stdin()),
            _ => Box::new(File::open(&self.settings).with_context(|| name.clone())?),
        };
        let settings: Settings = serde_json::from_reader(reader).with_context(|| name)?;
        let base = super::load(&self.model).await?;
        let bytes = std::fs::read(&self.data).with_context(|| self.data.display().to_string())?;
        let file = self.data.file_name().unwrap_or_default().to_string_lossy();
        let dataset = Dataset::build(&file, bytes, &settings.data, &base.tokenizer)?;

        let rows = settings.session.batch_size as usize;
        let mut session = Session::new(&base.model, settings.session)?;
        let mut batches = dataset.train_batches(rows)?;
        let bar = ProgressBar::new(u64::from(session.settings().steps)).with_style(
            ProgressStyle::with_template("{pos}/{len} {wide_bar} {eta} left")?,
        );
        while !session.is_finished() {
            let batch = batches.batch(u64::from(session.steps_done()));
            let report = session.step(&base.model, &batch).await?;
            println!("{}", serde_json::to_string(&report)?);
            bar.set_position(u64::from(report.step));
            let due = self.evaluate_every.is_some_and(|every| {
                every > 0 && report.step.is_multiple_of(every) || session.is_finished()
            });
            if due {
                evaluate(&session, &base, &dataset, rows).await?;
            }
        }
        bar.finish_and_clear();
        if let Some(folder) = &self.output {
            let config = &base.model.config;
            for (index, run) in session.settings().runs.iter().enumerate() {
                let dropout = session.settings().dropout;
                let name = self.model.display().to_string();
                let files = peft::write(session.adapters(), index, config, &name, dropout).await?;
                // A run's name is the user's, and may be no folder name.
                let folder = folder.join(format!("run-{}", index + 1));
                std::fs::create_dir_all(&folder)?;
                std::fs::write(folder.join(peft::CONFIG_FILE), files.config)?;
                std::fs::write(folder.join(peft::WEIGHTS_FILE), files.weights)?;
                eprintln!("{}: {}", run.name, folder.display());
            }
        }
        Ok(())
    }
}

async fn evaluate(
    session: &Session,
    base: &super::Base,
    dataset: &Dataset,
    rows: usize,
) -> Result<()> {
    let mut sums = vec![0.0; session.settings().runs.len()];
    let mut count = 0;
    for batch in dataset.validation_batches(dataset.validation().len(), rows)? {
        let losses = session.evaluate(&base.model, &batch).await?;
        for (sum, loss) in sums.iter_mut().zip(&losses.sums) {
            *sum += loss;
        }
        count += losses.count;
    }
    let losses: Vec<f64> = sums.iter().map(|sum| sum / count as f64).collect();
    let line = serde_json::json!({ "step": session.steps_done(), "validation_losses": losses });
    println!("{line}");
    Ok(())
}
