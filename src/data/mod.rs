//! Text to examples to batches.
//!
//! A file's bytes become text ([`decode`]), the text becomes records ([`read`]: plain text, `prompt||completion` lines,
//! JSON or a table), a record becomes an [`Example`] (token ids, and which of them count in the loss), examples are
//! [`split`] into training and validation, and [`Batches`] hands out any step's batch without replaying the steps before.
//!
//! Every random choice is ChaCha8 ([`shuffle`]) under a seed of the settings, so that all runs, all machines and a resumed
//! session see the same batches. Nothing here reads a file, a clock or a thread, and the tokenizer is behind [`TextCodec`].

pub mod batches;
pub mod codec;
pub mod columns;
pub mod conversation;
pub mod dataset;
pub mod decode;
pub mod detect;
pub mod encode;
pub mod error;
pub mod example;
pub mod pack;
mod part;
pub mod prompt;
pub mod read;
mod row_size;
pub mod settings;
pub mod shuffle;
pub mod skipped;
pub mod split;
pub mod statistics;
mod tokenizer_codec;
#[cfg(test)]
pub(crate) mod toy;

pub use batches::{Batch, BatchOrder, Batches, IGNORED_LABEL};
pub use codec::{Encoded, TextCodec};
pub use columns::Columns;
pub use conversation::Conversation;
pub use dataset::{Dataset, DatasetBuilder, EncodingProgress};
pub use decode::Encoding;
pub use detect::{Detected, Format, detect};
pub use error::DataError;
pub use example::{Example, LossOn};
pub use prompt::{PromptStyle, encode_prompt};
pub use read::{Roles, known_roles};
pub use settings::{DataSettings, DocumentBreak, Validation};
pub use skipped::{SkipCount, SkipReason, SkippedRow, SkippedRows};
pub use statistics::{ControlInText, DatasetStatistics};
