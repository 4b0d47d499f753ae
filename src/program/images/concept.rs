//! What is taught in the experiment: a subject or a style.

use std::path::Path;

use anyhow::{Context, Result};
use riemann_lora::diffusion::{
    DiffusionConfig, FlowBatch, Gallery, PictureBatches, Pictures, Retrieval, Words,
    pictures::from_patches, validation_batch,
};

use super::folder;

/// Label of all pictures of the concept in the gallery; the others have their captions, which have no such word.
const LABEL: &str = "the concept";

/// Pictures with captions that a new word is to be learned from.
pub struct Concept {
    /// `subject` or `style`.
    pub name: &'static str,
    /// Captions that are drawn to be measured.
    pub captions: Vec<String>,
    pictures: Pictures,
    batches: PictureBatches,
    caption_length: usize,
    gallery: Gallery,
}

impl Concept {
    /// Out of the folder of scripts/make-icons.
    ///
    /// `drawn` captions are measured: those of validation first, which have not been trained on.
    pub fn read(
        name: &'static str,
        icons: &Path,
        config: &DiffusionConfig,
        (rows, seed): (usize, u64),
        drawn: usize,
    ) -> Result<Self> {
        let pictures = folder::pictures(&icons.join(format!("{name}.safetensors")), config)?;
        let seen = folder::pictures(&icons.join("pretraining.safetensors"), config)?;
        let entries = seen.captions.iter().map(String::as_str).zip(&seen.patches);
        let own = pictures.patches.iter().map(|patches| (LABEL, patches));
        let entries = entries
            .chain(own)
            .map(|(caption, patches)| (caption, from_patches(patches, config)));
        let captions = pictures.validation().chain(pictures.train());
        Ok(Self {
            name,
            captions: captions
                .take(drawn)
                .map(|index| pictures.captions[index].clone())
                .collect(),
            gallery: Gallery::new(entries, config.image_size),
            batches: PictureBatches::new(&pictures, rows, 0.0, seed)?,
            caption_length: config.caption_length,
            pictures,
        })
    }

    /// The batch of `step`, from 0.
    pub fn batch(&mut self, step: u32, words: &Words) -> FlowBatch {
        let reading = (words, self.caption_length);
        self.batches.batch(&self.pictures, reading, u64::from(step))
    }

    /// The pictures that are not trained on, each with several times and noises.
    pub fn validation(&self, words: &Words) -> Result<FlowBatch> {
        let batch = validation_batch(&self.pictures, (words, self.caption_length));
        batch.with_context(|| format!("{} has no pictures for validation", self.name))
    }

    /// How often the nearest real picture is one of the concept's.
    pub fn retrieval(&self, drawn: &[Vec<u8>]) -> Retrieval {
        let ranks: Vec<usize> = drawn
            .iter()
            .filter_map(|picture| self.gallery.rank(picture, LABEL))
            .collect();
        let share = self.pictures.captions.len() as f64 / self.gallery.len() as f64;
        Retrieval {
            chance: share,
            ..Retrieval::new(&ranks, &self.gallery)
        }
    }
}
