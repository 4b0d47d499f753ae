//! Commands and what they share.

mod adapter;
mod answering;
mod chart;
mod counted;
mod data_file;
mod evaluate;
mod generate;
mod history;
mod images;
mod inspect;
mod kept_training;
mod overhead;
mod parquet;
mod pretrain;
mod progress;
mod result_file;
mod settings;
mod stop;
mod study;
mod sweep;
mod theory;
mod theory_width;
mod train;
mod understood;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use riemann_lora::{
    engine,
    load::{FileSource, Tokenizer},
    model::{self, Checkpoint},
};

/// Fine-tune a small language model with LoRA, preconditioned and plain side by side.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train runs on a text and write every step as JSON lines.
    Train(train::Train),
    /// Print a settings file for `train`, with every field explained.
    Settings(settings::Explain),
    /// Train every method at every learning rate and compare them, each at its best.
    Sweep(sweep::Sweep),
    /// Evaluate the study of the paper's claims.
    Study(study::Study),
    /// Measure what the preconditioner adds to a training step.
    Overhead(overhead::Overhead),
    /// Pretrain a small model from a text alone.
    Pretrain(pretrain::Pretrain),
    /// Draw icons from words.
    Images(images::Images),
    /// Let a model answer a prompt.
    Generate(generate::Generate),
    /// Compare a model's answers with those in a file: BLEU, ROUGE-L, CIDEr-D, exact match.
    Evaluate(evaluate::Evaluate),
    /// Say what is in a model file.
    Inspect(inspect::Inspect),
    /// Try the paper's theory on small problems.
    Theory(theory::Theory),
}

/// Runs the command of the command line.
pub fn run() -> Result<()> {
    pollster::block_on(async {
        match Arguments::parse().command {
            Command::Train(command) => command.run().await,
            Command::Overhead(command) => command.run().await,
            Command::Sweep(command) => command.run().await,
            Command::Study(command) => command.run(),
            Command::Pretrain(command) => command.run().await,
            Command::Images(command) => command.run().await,
            Command::Generate(command) => command.run().await,
            Command::Evaluate(command) => command.run().await,
            Command::Inspect(command) => command.run().await,
            Command::Theory(command) => command.run(),
            Command::Settings(command) => command.run(),
        }
    })
}

/// A GGUF file, or every file of a folder, by name.
fn files_of(path: &Path) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    if path.is_dir() {
        let entries = std::fs::read_dir(path).with_context(|| path.display().to_string())?;
        for entry in entries {
            let entry = entry?.path();
            if entry.is_file() {
                paths.push(entry);
            }
        }
        paths.sort();
    } else {
        paths.push(path.to_owned());
    }
    Ok(paths)
}

/// A GGUF file, or every file of a folder.
async fn open(path: &Path) -> Result<Checkpoint<FileSource>> {
    let files = files_of(path)?
        .iter()
        .map(FileSource::open)
        .collect::<Result<_, _>>()?;
    Ok(Checkpoint::open(files).await?)
}

/// A base on this machine's engine, with its tokenizer.
struct LoadedModel {
    /// As its files call it.
    name: String,
    model: model::Base,
    tokenizer: Tokenizer,
    device: Device,
}

async fn load(path: &Path) -> Result<LoadedModel> {
    let (device, _) = engine::start().await?;
    let checkpoint = open(path).await?;
    for notice in checkpoint.notices() {
        eprintln!("{notice}");
    }
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{msg} {wide_bar} {bytes}/{total_bytes}",
    )?);
    bar.set_message(checkpoint.name().to_owned());
    let model = model::Base::load(&checkpoint, &device, |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        true
    })
    .await?;
    bar.finish_and_clear();
    Ok(LoadedModel {
        name: checkpoint.name().to_owned(),
        model,
        tokenizer: checkpoint.tokenizer().clone(),
        device,
    })
}
