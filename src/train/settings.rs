//! What a session can be asked for, and the bounds of it.

use serde::{Deserialize, Serialize};

use super::SessionError;
use crate::kernel::half_is_available;
use crate::model::{AdapterShape, Architecture, ModelConfig, Target};
use crate::optim::{Detail, OptimizerSettings, shown};

/// Largest rank. The preconditioner inverts r×r matrices, which stop being small beyond it.
pub const MAXIMUM_RANK: u32 = 64;
/// Most runs of one session.
pub const MAXIMUM_RUNS: usize = 64;
/// Most steps: the largest count up to which single precision, in which charts are drawn, has every whole number.
pub const MAXIMUM_STEPS: u32 = 1 << 24;
/// Most sequences a step.
pub const MAXIMUM_BATCH_SIZE: u32 = 1024;

/// Scales whose squares, and what is divided by these, are numbers of single precision.
const SCALES: std::ops::RangeInclusive<f64> = 1e-18..=1e18;

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct RunSettings {
    /// What the user calls it.
    pub name: String,
    /// Its optimizer.
    pub optimizer: OptimizerSettings,
    /// Learning rate of the adapters of a text-to-image model's text encoder, where it is not that of the denoiser's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional = nullable))]
    pub text_lr: Option<f64>,
}

/// What all runs of a session share, and the runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct SessionSettings {
    /// Rank r of the adapters.
    pub rank: u32,
    /// Scale of the adapters is alpha / rank, or alpha / √rank with use_rslora.
    pub alpha: f64,
    /// Whether the scale of the adapters is alpha / √rank (rank-stabilised LoRA, arXiv 2312.03732), as PEFT's setting of
    /// this name.
    #[serde(default)]
    pub use_rslora: bool,
    /// Share of the adapter's inputs that are set to 0 while training.
    pub dropout: f64,
    /// Layers that carry an adapter.
    pub targets: Vec<Target>,
    /// Sequences a step.
    pub batch_size: u32,
    /// Sequences at once: a step adds up the gradients of so many sequences at a time, with the same result in less
    /// memory. 0 is all of the step's.
    #[serde(default)]
    pub micro_batch_size: u32,
    /// Whether blocks are computed a second time in the backward pass instead of kept: less memory for half as much
    /// time again, and the same result.
    #[serde(default)]
    pub gradient_checkpointing: bool,
    /// Whether wide weights are multiplied in half precision on the way forward, where a GPU can; sums, gradients and
    /// the optimizer stay in single.
    #[serde(default)]
    pub half_precision: bool,
    /// Steps in all; schedules end there.
    pub steps: u32,
    /// Seed of adapters, batches and dropout.
    pub seed: u32,
    /// The runs.
    pub runs: Vec<RunSettings>,
    /// Whether steps report norms, condition numbers and how far factors moved.
    #[serde(default = "yes")]
    pub diagnostics: bool,
    /// Whether they also report these of each adapted layer; only where `diagnostics` is on.
    #[serde(default)]
    pub layer_diagnostics: bool,
}

impl SessionSettings {
    /// What a step measures beside its losses.
    pub(super) fn detail(&self) -> Option<Detail> {
        self.diagnostics.then_some(if self.layer_diagnostics {
            Detail::ByLayer
        } else {
            Detail::ByRun
        })
    }
}

/// What a setting is where an older file does not have it.
fn yes() -> bool {
    true
}

/// Checks all settings against each other and against the base.
///
/// # Errors
/// The first setting out of range, with its range.
pub fn validate(settings: &SessionSettings, config: &ModelConfig) -> Result<(), SessionError> {
    let s = settings;
    validate_names(&s.targets)?;
    check_targets(&s.targets, config.architecture)?;
    if s.runs.iter().any(|run| run.text_lr.is_some()) {
        return Err(SessionError::setting(
            "text_lr",
            "set",
            "a language model has no text encoder of its own; leave it out",
        ));
    }
    validate_beside_targets(s, largest_rank(&s.targets, config))
}

/// Checks that there is a layer to adapt, and that each is named once.
///
/// # Errors
/// A list that is empty or has repeats.
pub fn validate_names(targets: &[Target]) -> Result<(), SessionError> {
    let wrong = |value, expected| Err(SessionError::setting("targets", value, expected));
    if targets.is_empty() {
        return wrong("empty", "choose at least one layer to adapt");
    }
    let mut names = targets.to_vec();
    names.sort_unstable();
    names.dedup();
    if names.len() != targets.len() {
        return wrong("a list with repeats", "name each layer once");
    }
    Ok(())
}

/// Checks everything that does not depend on the model, with the largest rank that it allows.
///
/// # Errors
/// The first setting out of range, with its range.
pub fn validate_beside_targets(s: &SessionSettings, largest: usize) -> Result<(), SessionError> {
    if s.rank == 0 || s.rank as usize > largest {
        return Err(SessionError::setting(
            "rank",
            s.rank,
            format!("it must be between 1 and {largest} for the chosen layers"),
        ));
    }
    if s.half_precision && !half_is_available() {
        return Err(SessionError::setting(
            "half_precision",
            "on",
            "this engine multiplies in single precision only; turn it off",
        ));
    }
    if !AdapterShape::can_have_alpha(s.alpha) {
        return Err(SessionError::setting(
            "alpha",
            shown(s.alpha),
            "it must be a number above 0 that single precision can hold",
        ));
    }
    if !(0.0..1.0).contains(&s.dropout) {
        return Err(SessionError::setting(
            "dropout",
            shown(s.dropout),
            "it must be at least 0 and below 1",
        ));
    }
    if s.batch_size == 0 || s.batch_size > MAXIMUM_BATCH_SIZE {
        return Err(SessionError::setting(
            "batch_size",
            s.batch_size,
            format!("it must be between 1 and {MAXIMUM_BATCH_SIZE}"),
        ));
    }
    if s.steps == 0 || s.steps > MAXIMUM_STEPS {
        return Err(SessionError::setting(
            "steps",
            s.steps,
            format!("it must be between 1 and {MAXIMUM_STEPS}"),
        ));
    }
    if s.runs.is_empty() || s.runs.len() > MAXIMUM_RUNS {
        return Err(SessionError::setting(
            "runs",
            s.runs.len(),
            format!("there must be between 1 and {MAXIMUM_RUNS}"),
        ));
    }
    for (index, run) in s.runs.iter().enumerate() {
        run.optimizer
            .validate()
            .map_err(|error| SessionError::Run { index, error })?;
    }
    let scale = AdapterShape::scale_of(s.alpha, s.rank as usize, s.use_rslora);
    let preconditioners = s.runs.iter().filter_map(|run| run.optimizer.preconditioner);
    if preconditioners.into_iter().any(|it| it.scale_aware) && !SCALES.contains(&scale) {
        return Err(SessionError::setting(
            "alpha",
            shown(s.alpha),
            "with scale_aware the scale of the adapters must be between 1e-18 and 1e18, because it is squared",
        ));
    }
    Ok(())
}

/// The largest rank that adapters of these layers can have.
pub fn largest_rank(targets: &[Target], config: &ModelConfig) -> usize {
    let narrowest = targets
        .iter()
        .filter_map(|target| target.shape(config))
        .map(|(inputs, outputs)| inputs.min(outputs))
        .min();
    narrowest.unwrap_or(0).min(MAXIMUM_RANK as usize)
}

/// Checks that a base has the layers, and that no weight would carry two adapters.
fn check_targets(targets: &[Target], architecture: &Architecture) -> Result<(), SessionError> {
    let there = architecture.targets();
    if let Some(other) = targets.iter().find(|target| !there.contains(target)) {
        let names: Vec<&str> = there.iter().map(|target| target.name()).collect();
        return Err(SessionError::setting(
            "targets",
            other.name(),
            format!(
                "a {} has no such layer; choose among {}",
                architecture.title,
                names.join(", ")
            ),
        ));
    }
    let both = targets.iter().find_map(|part| {
        let whole = part.whole(architecture)?;
        targets.contains(&whole).then_some((part, whole))
    });
    match both {
        // Their changes of weight would add up to one of a rank that nobody asked for.
        Some((part, whole)) => Err(SessionError::setting(
            "targets",
            format!("{} and {}", part.name(), whole.name()),
            "the first is a part of the second; choose the whole or its parts",
        )),
        None => Ok(()),
    }
}

/// Rank, alpha and targets of the adapters, targets in the order of a forward pass.
pub fn adapter_shape(settings: &SessionSettings) -> AdapterShape {
    AdapterShape {
        rank: settings.rank as usize,
        alpha: settings.alpha,
        use_rslora: settings.use_rslora,
        targets: Target::ALL
            .into_iter()
            .filter(|target| settings.targets.contains(target))
            .collect(),
    }
}
