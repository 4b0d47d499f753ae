//! How often a drawn picture is the one that its caption names.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use riemann_lora::{
    diffusion::{
        DenoisingSettings, DiffusionConfig, DiffusionModel, Gallery, Pictures, Retrieval, Words,
        pictures::from_patches,
    },
    engine,
};
use serde::Serialize;

use super::{super::result_file::ResultFile, drawing::draw, folder};

/// Pictures that are drawn at once.
const AT_ONCE: usize = 25;

/// Draw captions and see which real picture each drawing is nearest to.
#[derive(Debug, Args)]
pub struct Measure {
    /// Folder of the model.
    model: PathBuf,
    /// Folder that scripts/make-icons filled.
    icons: PathBuf,
    /// Captions of the pretraining that are drawn.
    #[arg(long, default_value_t = 200)]
    count: usize,
    /// How far captions are followed.
    #[arg(long, default_value_t = DenoisingSettings::default().guidance)]
    guidance: f64,
    /// Result file.
    #[arg(long)]
    result: Option<PathBuf>,
}

/// What came out.
#[derive(Debug, Serialize)]
struct Figures {
    /// Of captions that the model has seen, among all pictures that it has seen.
    seen: Retrieval,
    /// Of combinations of colour and name that it has not seen, among these.
    combinations: Retrieval,
    seconds_grid_of_8: f64,
}

impl Measure {
    /// Draws, measures and writes.
    pub async fn run(self) -> Result<()> {
        let (device, _) = engine::start().await?;
        let folder::Model { weights, words } = folder::Model::read(&self.model, &device)?;
        let config = &weights.config;
        let model = weights.model();
        let read = |name: &str| folder::pictures(&self.icons.join(name), config);
        let (seen, combinations) = (
            read("pretraining.safetensors")?,
            read("combinations.safetensors")?,
        );
        let settings = DenoisingSettings {
            guidance: self.guidance,
            ..DenoisingSettings::default()
        };
        let started = std::time::Instant::now();
        let eight = &seen.captions[..8.min(seen.captions.len())];
        draw(&model, None, &words, eight, settings).await?;
        let seconds_grid_of_8 = started.elapsed().as_secs_f64();
        let figures = Figures {
            seen: measure(&model, &words, &seen, self.count, settings).await?,
            combinations: measure(&model, &words, &combinations, usize::MAX, settings).await?,
            seconds_grid_of_8,
        };
        println!("{}", serde_json::to_string(&figures)?);
        match &self.result {
            Some(path) => ResultFile::new(&figures)?.write(path, None),
            None => Ok(()),
        }
    }
}

/// Draws the first `count` captions and looks for each among all pictures.
async fn measure(
    model: &DiffusionModel,
    words: &Words,
    pictures: &Pictures,
    count: usize,
    settings: DenoisingSettings,
) -> Result<Retrieval> {
    let gallery = gallery(pictures, &model.config);
    let captions = &pictures.captions[..count.min(pictures.captions.len())];
    let mut ranks = Vec::new();
    for (index, captions) in captions.chunks(AT_ONCE).enumerate() {
        // Other noise for other captions.
        let seed = settings.seed + index as u64;
        let drawn = draw(
            model,
            None,
            words,
            captions,
            DenoisingSettings { seed, ..settings },
        )
        .await?
        .concat();
        let found = captions.iter().zip(&drawn);
        ranks.extend(found.filter_map(|(caption, picture)| gallery.rank(picture, caption)));
    }
    Ok(Retrieval::new(&ranks, &gallery))
}

fn gallery(pictures: &Pictures, config: &DiffusionConfig) -> Gallery {
    let entries = pictures.captions.iter().zip(&pictures.patches);
    let entries =
        entries.map(|(caption, patches)| (caption.as_str(), from_patches(patches, config)));
    Gallery::new(entries, config.image_size)
}
