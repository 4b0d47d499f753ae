//! Answers from the terminal.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use riemann_lora::{data::prompt::SEPARATOR, generate::SampleSettings};

use super::{adapter, answering::answer};

/// Let a model answer a prompt.
#[derive(Debug, Args)]
pub struct Generate {
    /// A GGUF file, or a folder with config.json, model.safetensors and tokenizer.json.
    model: PathBuf,
    /// What to answer.
    prompt: String,
    /// Put the prompt into the model's chat template.
    #[arg(long)]
    chat: bool,
    /// Folder of a PEFT or MLX adapter to answer with.
    #[arg(long)]
    adapter: Option<PathBuf>,
    /// Most tokens to write.
    #[arg(long, default_value_t = 64)]
    max_tokens: u32,
    /// 0 is greedy.
    #[arg(long, default_value_t = 0.0)]
    temperature: f64,
    /// Keep only the k likeliest tokens; 0 keeps all.
    #[arg(long, default_value_t = 0)]
    top_k: u32,
    /// Keep the likeliest tokens that make up this share.
    #[arg(long, default_value_t = 1.0)]
    top_p: f64,
    /// Seed of the choices.
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// What stands behind the prompt, as in training; not with --chat.
    #[arg(long, default_value = SEPARATOR)]
    separator: String,
    /// Text before which the answer ends; may be given several times.
    #[arg(long)]
    stop: Vec<String>,
}

impl Generate {
    /// Prints the answer as it is written.
    pub async fn run(self) -> Result<()> {
        let base = super::load(&self.model).await?;
        let adapters = match &self.adapter {
            None => None,
            Some(folder) => Some(adapter::read(folder, &base)?),
        };
        let settings = SampleSettings {
            prompt: self.prompt,
            chat: self.chat,
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            seed: self.seed,
            stop: self.stop,
            include_base: false,
        };
        let mut out = std::io::stdout().lock();
        answer(
            &base,
            adapters.as_ref(),
            &self.separator,
            settings,
            |piece| {
                write!(out, "{piece}")?;
                Ok(out.flush()?)
            },
        )
        .await?;
        writeln!(out)?;
        Ok(())
    }
}
