//! Values that a block's operations save for their backward pass, counted operation by operation.

use super::settings::SessionSettings;
use crate::model::{
    Activation, ModelConfig, Target,
    architecture::{Norm, Place},
};

/// What one block takes for each token of a step, in values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockValues {
    /// Saved until the backward pass has gone through the block.
    pub saved: f64,
    /// Most beside them while it goes through: gradients, and results that are not saved.
    pub passing: f64,
}

impl BlockValues {
    /// Those of a block of `config` with the adapters of `settings`.
    pub fn new(config: &ModelConfig, settings: &SessionSettings) -> Self {
        let channels = config.hidden_size as f64;
        let inner = config.intermediate_size as f64;
        let (queries, keys) = (config.query_width() as f64, config.key_width() as f64);

        // A norm saves what it reads.
        let norm = |norm, width| match config.architecture.module_at(Place::Norm(norm)) {
            Some(_) => width,
            None => 0.0,
        };
        let norms = norm(Norm::Attention, channels)
            + norm(Norm::Queries, queries)
            + norm(Norm::Keys, keys)
            + norm(Norm::AttentionOutput, channels)
            + norm(Norm::FeedForward, channels)
            + norm(Norm::FeedForwardOutput, channels);
        // What goes into it, and a number a head; on WebGPU three.
        let of_head = if cfg!(feature = "webgpu") { 3.0 } else { 1.0 };
        let attention = queries
            + Self::keys_and_values(config, &settings.targets)
            + of_head * config.num_attention_heads as f64;
        let is_gated = config.architecture.is_gated();
        let (feed_forward, to_feed_forward) = match (is_gated, config.activation) {
            // Gate and values of one layer are views of its result, which are copied to be read in order.
            (true, Activation::Silu | Activation::GeluTanh) => {
                match config.architecture.is_gate_fused() {
                    true => (2.0 * inner, 5.0 * inner),
                    false => (2.0 * inner, 3.0 * inner),
                }
            }
            (true, Activation::Gelu) => (3.0 * inner, 3.0 * inner),
            // Taken apart: the layer's values, their slope and its sigmoid.
            (false, Activation::GeluTanh) => (3.0 * inner, 3.0 * inner),
            (false, Activation::Silu | Activation::Gelu) => (inner, 2.0 * inner),
        };
        // The input of an adapted last layer is gone when the way back comes to what made it.
        let gone = match is_gated && adapts(&settings.targets, &[Target::DownProj]) {
            true => inner,
            false => 0.0,
        };
        // On the way back attention has gradients of its result and of what went in, when what the feed-forward layer saved is
        // gone.
        let to_attention = 2.0 * queries + 2.0 * keys - feed_forward;
        // The gradient of each part of a fused layer is as wide as the layer until they are added, when what adapters behind
        // attention saved is gone as well.
        let parts = queries + 2.0 * keys;
        let behind: Vec<Target> = settings
            .targets
            .iter()
            .copied()
            .filter(|target| !INTO_ATTENTION.contains(target))
            .collect();
        let to_parts = match config.architecture.is_fused() {
            true => 4.0 * parts - feed_forward - adapters(config, settings, &behind),
            false => 0.0,
        };
        Self {
            saved: norms + attention + feed_forward + adapters(config, settings, &settings.targets),
            passing: (to_feed_forward - gone).max(to_attention).max(to_parts) + 2.0 * channels,
        }
    }

    /// What attention's products save of keys and values. Parts of a fused layer's result that nothing changes are views of
    /// it, which hold it whole; where positions turn keys, values were measured to be copied.
    fn keys_and_values(config: &ModelConfig, targets: &[Target]) -> f64 {
        let (queries, keys) = (config.query_width() as f64, config.key_width() as f64);
        if !config.architecture.is_fused() || config.rotary.is_some() {
            return 2.0 * keys;
        }
        let parts = [Target::KProj, Target::VProj];
        let changed = parts.iter().filter(|part| targets.contains(part)).count();
        match changed {
            2 => 2.0 * keys,
            changed => changed as f64 * keys + queries + 2.0 * keys,
        }
    }
}

/// Layers whose input is that of attention.
const INTO_ATTENTION: [Target; 6] = [
    Target::QProj,
    Target::KProj,
    Target::VProj,
    Target::CAttn,
    Target::QkvProj,
    Target::QueryKeyValue,
];

/// What adapters on `targets` save for a token: the inputs of adapted layers and, of each adapter, what it makes of them
/// between its factors.
fn adapters(config: &ModelConfig, settings: &SessionSettings, targets: &[Target]) -> f64 {
    let shapes = targets.iter().filter_map(|target| target.shape(config));
    let low = shapes.clone().count() as f64 * f64::from(settings.rank);
    if settings.dropout > 0.0 {
        // Each has an input and a mask of its own, the mask shared by all runs.
        let inputs: f64 = shapes.map(|(inputs, _)| inputs as f64).sum();
        return low + inputs * (1.0 + 1.0 / settings.runs.len().max(1) as f64);
    }
    let channels = config.hidden_size as f64;
    let inner = config.intermediate_size as f64;
    low + adapted_inputs(targets, channels, config.query_width() as f64, inner)
}

/// Values a token of the inputs of a block's adapted layers, each counted once: `channels` of the residual stream, all
/// `queries` together, and the feed-forward layer's `inner` width.
pub(crate) fn adapted_inputs(targets: &[Target], channels: f64, queries: f64, inner: f64) -> f64 {
    use Target::{Dense, Dense4hToH, DenseHTo4h, DownProj, GateProj, GateUpProj, OProj, UpProj};
    let any = |of: &[Target]| f64::from(u8::from(adapts(targets, of)));
    any(&INTO_ATTENTION) * channels
        + any(&[OProj, Dense]) * queries
        + any(&[GateProj, UpProj, GateUpProj, DenseHTo4h]) * channels
        + any(&[DownProj, Dense4hToH]) * inner
}

/// Whether one of the layers `of` is among `targets`.
fn adapts(targets: &[Target], of: &[Target]) -> bool {
    of.iter().any(|target| targets.contains(target))
}
