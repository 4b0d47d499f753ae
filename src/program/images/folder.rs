//! The files of a text-to-image model: shape, weights, words.

use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::Device;
use riemann_lora::diffusion::{DiffusionConfig, DiffusionWeights, Pictures, Words};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const WORDS: &str = "words.txt";

/// A model that draws.
#[derive(Debug)]
pub struct Model {
    /// Its weights.
    pub weights: DiffusionWeights,
    /// The words that it knows.
    pub words: Words,
}

impl Model {
    /// Out of its folder.
    pub fn read(folder: &Path, device: &Device) -> Result<Self> {
        let config: DiffusionConfig = serde_json::from_slice(&read(&folder.join(CONFIG))?)
            .with_context(|| folder.join(CONFIG).display().to_string())?;
        let bytes = read(&folder.join(WEIGHTS))?;
        let weights = DiffusionWeights::read(&config, &bytes, device)
            .with_context(|| folder.join(WEIGHTS).display().to_string())?;
        let (words, _) = words(folder)?;
        Ok(Self { weights, words })
    }
}

/// The list of words of a folder, and its text.
pub fn words(folder: &Path) -> Result<(Words, String)> {
    let text = String::from_utf8(read(&folder.join(WORDS))?)
        .with_context(|| folder.join(WORDS).display().to_string())?;
    Ok((Words::new(&text), text))
}

/// The pictures of a file.
pub fn pictures(path: &Path, config: &DiffusionConfig) -> Result<Pictures> {
    Pictures::read(&read(path)?, config).with_context(|| path.display().to_string())
}

/// Writes weights as f16, with their shape and words.
pub async fn write(folder: &Path, weights: &DiffusionWeights, words: &str) -> Result<()> {
    let config = serde_json::to_string_pretty(&weights.config)? + "\n";
    let weights = weights.to_safetensors().await?;
    for (name, bytes) in [
        (CONFIG, config.as_bytes()),
        (WEIGHTS, &weights),
        (WORDS, words.as_bytes()),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, bytes).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}
