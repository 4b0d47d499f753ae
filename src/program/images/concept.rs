//! What is taught in the experiment: a subject or a style.

use std::path::Path;

use anyhow::Result;
use riemann_lora::{
    data::BatchOrder,
    diffusion::{
        DiffusionConfig, FlowBatch, Gallery, Pictures, Retrieval, Words, pictures::from_patches,
    },
};

use super::folder;

/// The random stream of the validation batch; those of the steps count from 0.
const VALIDATION_STREAM: u64 = u64::MAX;
/// Noisy pictures of the validation batch.
const VALIDATION_ROWS: usize = 60;
/// Label of all pictures of the concept in the gallery; the others have their captions, which have no such word.
const LABEL: &str = "the concept";

/// Pictures with captions that a new word is to be learned from.
pub struct Concept {
    /// `subject` or `style`.
    pub name: &'static str,
    /// Captions that are drawn to be measured.
    pub captions: Vec<String>,
    pictures: Pictures,
    order: BatchOrder,
    caption_length: usize,
    seed: u64,
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
            order: BatchOrder::new(pictures.train().len(), rows, seed)?,
            caption_length: config.caption_length,
            pictures,
            seed,
        })
    }

    /// The batch of `step`, from 0.
    pub fn batch(&mut self, step: u32, words: &Words) -> FlowBatch {
        let indices = self.order.indices(u64::from(step));
        let words = (words, self.caption_length);
        let random = (self.seed, u64::from(step));
        FlowBatch::draw(&self.pictures, &indices, words, 0.0, random)
    }

    /// The pictures that are not trained on, each with several times and noises.
    pub fn validation(&self, words: &Words) -> FlowBatch {
        let indices = self.pictures.validation().cycle();
        let indices: Vec<usize> = indices.take(VALIDATION_ROWS).collect();
        let words = (words, self.caption_length);
        FlowBatch::draw(&self.pictures, &indices, words, 0.0, (0, VALIDATION_STREAM))
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
