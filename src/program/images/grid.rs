//! Captions to pictures.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use riemann_lora::{diffusion::DenoisingSettings, engine};

use super::{drawing::draw, folder::Model, sheet};

/// Draw captions side by side into a PNG file.
#[derive(Debug, Args)]
pub struct Grid {
    /// Folder of the model.
    model: PathBuf,
    /// The PNG file.
    output: PathBuf,
    /// Captions, one picture each.
    #[arg(required = true)]
    captions: Vec<String>,
    /// Steps from noise to picture.
    #[arg(long, default_value_t = 20)]
    steps: u32,
    /// How far the caption is followed; 1 is as it was learned.
    #[arg(long, default_value_t = 3.0)]
    guidance: f64,
    /// Seed of the noise.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Pictures in a row.
    #[arg(long, default_value_t = 8)]
    columns: usize,
    /// Width of a pixel.
    #[arg(long, default_value_t = 4)]
    zoom: usize,
}

impl Grid {
    /// Draws and writes.
    pub async fn run(self) -> Result<()> {
        for (name, value) in [
            ("steps", self.steps as usize),
            ("columns", self.columns),
            ("zoom", self.zoom),
        ] {
            ensure!(value > 0, "{name} is 0; it must be 1 or more");
        }
        let (device, _) = engine::start().await?;
        let Model { weights, words } = Model::read(&self.model, &device)?;
        let config = &weights.config;
        let model = weights.model();
        let settings = DenoisingSettings {
            steps: self.steps,
            guidance: self.guidance,
            seed: self.seed,
        };
        let pictures = draw(&model, None, &words, &self.captions, settings)
            .await?
            .concat();
        sheet::write(
            &self.output,
            &pictures,
            config.image_size,
            self.columns.min(pictures.len()),
            self.zoom,
        )
    }
}
