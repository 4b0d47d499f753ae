//! Training: the session of runs that one worker holds.

pub mod checkpoint;
pub mod error;
pub mod estimate;
pub mod evaluation;
pub mod gradient_checkpointing;
pub mod gradients;
pub mod head;
pub mod labels;
mod language;
pub mod memory;
mod pictures;
pub mod session;
pub mod settings;
pub mod shards;
mod start;
pub mod sweep;
pub mod token_losses;
pub mod trainable;

pub use error::SessionError;
pub use evaluation::Evaluation;
pub use session::{BatchLosses, Session};
pub use trainable::Trainable;
