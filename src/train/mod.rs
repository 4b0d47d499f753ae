//! Training: the session of runs that one worker holds.

pub mod adapter;
pub mod binding;
pub mod checkpoint;
pub mod counting;
pub mod course;
pub mod error;
pub mod estimate;
pub mod evaluation;
pub mod gradient_checkpointing;
pub mod gradients;
pub mod head;
pub mod kept;
pub mod labels;
pub mod language;
pub mod memory;
pub mod report;
pub mod session;
pub mod settings;
pub mod shards;
mod start;
pub mod sweep;
pub mod token_losses;
pub mod trainable;

pub use adapter::{NoAdapter, TrainedRuns};
pub use course::{Course, End, Milestone};
pub use error::SessionError;
pub use estimate::MemoryEstimate;
pub use evaluation::{Evaluation, evaluate};
pub use report::{EvaluationReport, RunReport, StepReport, StepTimes};
pub use session::{BatchLosses, Session};
pub use settings::{RunSettings, SessionSettings};
pub use trainable::Trainable;
