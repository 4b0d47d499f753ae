//! What a session says of its steps and evaluations: plain data.

use serde::{Deserialize, Serialize};

use crate::optim::RunDiagnostics;

/// One run after one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RunReport {
    /// Mean cross entropy over counted tokens, before this step's update; in nats.
    /// `None` where the run had diverged before.
    pub loss: Option<f64>,
    /// Global L2 norm of the raw gradients.
    pub grad_norm: Option<f64>,
    /// Learning rate of this step.
    pub lr: f64,
    /// The step at which its loss or gradient stopped being finite.
    pub diverged_at: Option<u32>,
    /// Norms and condition numbers; `None` where they are switched off or the run has diverged.
    pub diagnostics: Option<RunDiagnostics>,
}

/// Where a step's time went, in seconds. On WebGPU the parts are those of the last step that was
/// measured in parts, because a wait at the end of each part costs time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StepTimes {
    /// Base and adapters to the losses, with the head's own gradient.
    pub forward: f64,
    /// Gradients of all factors.
    pub backward: f64,
    /// Clipping, Gram matrices, inverses and products with gradients.
    pub precondition: f64,
    /// Moments and factors.
    pub update: f64,
    /// All of it, with the read-back.
    pub total: f64,
}

/// All runs after one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StepReport {
    /// Counts from 1.
    pub step: u32,
    /// In the order of the settings.
    pub runs: Vec<RunReport>,
    /// Tokens of the batch that are computed: those that a label which counts depends on.
    pub tokens: u32,
    /// Tokens of the batch whose prediction counts.
    pub counted_tokens: u32,
    /// Seconds.
    pub seconds: StepTimes,
    /// Bytes that the worker holds.
    pub memory_bytes: f64,
}

/// Losses on the held-out examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EvaluationReport {
    /// Steps done before.
    pub step: u32,
    /// Mean cross entropy of each run; `None` where it is not finite.
    pub losses: Vec<Option<f64>>,
    /// Seconds that it took.
    pub seconds: f64,
}
