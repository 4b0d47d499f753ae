//! What can go wrong between a session's settings and its last step.

use crate::engine::EngineError;
use crate::model::TooLong;
use crate::optim::SettingError;

/// Why a session cannot be made or cannot go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SessionError {
    /// A setting that all runs share is out of range.
    #[error("{field} is {value}; {expected}")]
    Setting {
        /// Name of the setting.
        field: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// A hyper-parameter of one run is out of range.
    #[error("run {}: {error}", index + 1)]
    Run {
        /// Index of the run.
        index: usize,
        /// The hyper-parameter and its range.
        error: SettingError,
    },
    /// No label of the batch counts.
    #[error(
        "no token of this batch counts in the loss; use a longer sequence length, or count all tokens"
    )]
    NothingCounts,
    /// A batch longer than the base's context.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// A part of a step that another session has computed.
    #[error(
        "a shard of a step has {found} values, and this session's have {expected}; start the training again"
    )]
    Shard {
        /// Values that it has.
        found: usize,
        /// Values that it should have.
        expected: usize,
    },
    /// A shard beyond those that a step is divided into.
    #[error("a step has no shard {shard} of {shards}; start the training again")]
    NoSuchShard {
        /// Its index.
        shard: usize,
        /// Shards of the step.
        shards: usize,
    },
    /// More or fewer shards than a step was divided into.
    #[error(
        "{found} shards came of a step that was divided into {expected}; start the training again"
    )]
    Shards {
        /// How many came.
        found: usize,
        /// How many there are.
        expected: usize,
    },
    /// Shards of a step of which none was computed here.
    #[error("this worker has no shard of the step that it should take; start the training again")]
    NoShard,
    /// A device that failed.
    #[error(transparent)]
    Device(#[from] EngineError),
    /// A checkpoint that does not belong to this session.
    #[error("this checkpoint cannot be resumed: {0}")]
    Checkpoint(String),
}

impl SessionError {
    /// A shared setting out of range.
    pub(crate) fn setting(
        field: &'static str,
        value: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::Setting {
            field,
            value: value.to_string(),
            expected: expected.into(),
        }
    }

    /// The setting it is about, as the page names it: `rank`, or `runs.1.lr`.
    pub fn field(&self) -> Option<String> {
        match self {
            Self::Setting { field, .. } => Some((*field).to_owned()),
            Self::Run { index, error } => Some(format!("runs.{index}.{}", error.field)),
            _ => None,
        }
    }
}
