//! Adapters on disk.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use riemann_lora::{model::Adapters, peft};

use super::LoadedModel;

/// What MLX calls its factors.
const MLX_WEIGHTS_FILE: &str = "adapters.safetensors";

/// Reads the adapter in `folder`, and says how much of it was matched and what was done to it.
///
/// # Errors
/// A folder that holds no adapter of this base, with what it lacks.
pub fn read(folder: &Path, base: &LoadedModel) -> Result<Adapters> {
    let config_path = folder.join(peft::CONFIG_FILE);
    let config = std::fs::read(&config_path).with_context(|| {
        format!(
            "{}: an adapter is a folder with {} and {}",
            config_path.display(),
            peft::CONFIG_FILE,
            peft::WEIGHTS_FILE
        )
    })?;
    let path = weights_in(folder)?;
    let weights = std::fs::read(&path).with_context(|| path.display().to_string())?;
    let model = &base.model.config;
    let read = peft::read(&config, &weights, model, &base.device)
        .with_context(|| folder.display().to_string())?;
    eprintln!(
        "{}: {} of {} tensors matched, in {} of {} layers",
        folder.display(),
        read.tensors,
        read.tensors,
        read.layers,
        model.num_hidden_layers
    );
    for notice in &read.notices {
        eprintln!("{}: {notice}", folder.display());
    }
    Ok(read.adapters)
}

fn weights_in(folder: &Path) -> Result<PathBuf> {
    for name in [peft::WEIGHTS_FILE, MLX_WEIGHTS_FILE] {
        let path = folder.join(name);
        if path.exists() {
            return Ok(path);
        }
    }
    for name in ["adapter_model.bin", "adapter_model.pt", "adapter_model.pth"] {
        let path = folder.join(name);
        if path.exists() {
            bail!(
                "{}: it can run code when it is opened and is not read; load the adapter with PEFT and save it with \
                 save_pretrained(FOLDER, safe_serialization=True)",
                path.display()
            );
        }
    }
    bail!(
        "{}: it has no {}; use the folder that PEFT's save_pretrained wrote",
        folder.display(),
        peft::WEIGHTS_FILE
    )
}
