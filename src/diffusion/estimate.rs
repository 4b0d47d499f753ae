//! Bytes that a session on a text-to-image model will need, before anything is made.

use super::{DiffusionConfig, weights::linear_shape};
use crate::model::Target;
use crate::train::{
    MemoryEstimate, SessionSettings,
    estimate::{F32, rows_at_once},
    kept::adapted_inputs,
    settings::adapter_shape,
};

/// What `settings` need on a text-to-image model that holds `base_bytes`. `limit` is passed through.
///
/// Counted as by [`crate::train::estimate::estimate`], for the places of captions and of patches. A block is a Llama's on the CPU; its norms, whose
/// scales depend on the picture, keep what lies between their operations.
pub fn estimate(
    settings: &SessionSettings,
    config: &DiffusionConfig,
    base_bytes: f64,
    limit: f64,
) -> MemoryEstimate {
    let runs = settings.runs.len() as f64;
    let sequences = runs * rows_at_once(settings);
    let (channels, inner) = (config.hidden_size as f64, config.intermediate_size as f64);
    let shape = adapter_shape(settings);
    let a_block: f64 = shape
        .targets
        .iter()
        .filter(|target| Target::LLAMA.contains(target))
        .map(|&target| linear_shape(target, config))
        .map(|(inputs, outputs)| shape.rank as f64 * (inputs + outputs) as f64)
        .sum();
    let blocks = config.text_layers + config.denoiser_layers;
    let runs_bytes = 5.0 * blocks as f64 * a_block * runs * F32;
    let kept = |places: usize, blocks: usize| {
        let scores = config.num_attention_heads as f64 * places as f64;
        let inputs = adapted_inputs(&settings.targets, channels, channels, inner);
        let a_place = 12.0 * channels + 2.0 * inner + 1.1 * scores + inputs;
        sequences * (places * blocks) as f64 * a_place
    };
    let words = config.caption_length;
    let activations = F32
        * (kept(words, config.text_layers)
            + kept(words + config.patches(), config.denoiser_layers));
    MemoryEstimate {
        base: base_bytes,
        // Words and pictures take next to nothing.
        texts: 0.0,
        runs: runs_bytes,
        activations,
        total: base_bytes + runs_bytes + activations,
        limit,
    }
}
