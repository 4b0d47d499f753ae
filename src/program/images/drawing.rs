//! Captions to pictures, from noise to the end.

use anyhow::Result;
use riemann_lora::{
    diffusion::{DenoisingSettings, DiffusionModel, Sampler, Words},
    model::Adapters,
};

/// The pictures of every caption, by the base or by each run of a bank.
///
/// # Shapes
/// - result: for each run, for each caption, [size, size, 3]
pub async fn draw(
    model: &DiffusionModel,
    adapters: Option<&Adapters>,
    words: &Words,
    captions: &[String],
    settings: DenoisingSettings,
) -> Result<Vec<Vec<Vec<u8>>>> {
    let length = model.config.caption_length;
    let ids: Vec<i32> = captions
        .iter()
        .flat_map(|caption| words.encode(caption, length))
        .collect();
    let mut sampler = Sampler::new(model, adapters, &ids, settings);
    while !sampler.is_finished() {
        sampler.step();
    }
    Ok(sampler.pictures().await?)
}
