//! What is in a model file.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

/// Say what is in a model file.
#[derive(Debug, Args)]
pub struct Inspect {
    /// A GGUF file, or a folder with config.json, model.safetensors and tokenizer.json.
    model: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    /// Prints the base's shape and its tensors.
    pub async fn run(self) -> Result<()> {
        let checkpoint = super::open(&self.model).await?;
        let config = checkpoint.config();
        if self.json {
            let tensors: Vec<_> = checkpoint
                .tensors()
                .iter()
                .map(|tensor| {
                    serde_json::json!({
                        "name": tensor.name,
                        "shape": tensor.shape,
                        "storage": tensor.storage.to_string(),
                        "bytes": tensor.bytes,
                    })
                })
                .collect();
            let all = serde_json::json!({
                "name": checkpoint.name(),
                "config": config,
                "parameters": config.parameters(),
                "tensors": tensors,
            });
            println!("{}", serde_json::to_string_pretty(&all)?);
            return Ok(());
        }
        println!("{}: {} parameters", checkpoint.name(), config.parameters());
        println!("{config:#?}");
        for tensor in checkpoint.tensors() {
            println!(
                "{:48} {:6} {:?} {} bytes",
                tensor.name,
                tensor.storage.to_string(),
                tensor.shape,
                tensor.bytes
            );
        }
        Ok(())
    }
}
