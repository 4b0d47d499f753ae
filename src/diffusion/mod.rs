//! A small text-to-image model: how it computes, is pretrained and draws.
//!
//! A caption's [`words`] go through a [`text`] encoder. Its vectors stand before the patches of a noisy picture in the
//! sequences of the [`denoiser`], a transformer that tells how picture and noise lie to each other ([`flow`]). Following
//! that [`sample`]s a picture out of noise. The linear layers of both are [`crate::model::lora`]'s, so that banks of
//! adapters work on them as on a language model.
//!
//! Dimensions in comments, beside the crate's: P patches of a picture, W places of a caption.

pub mod adapter_file;
pub mod batches;
pub mod block;
pub mod config;
pub mod denoiser;
pub mod draw;
pub mod estimate;
pub mod flow;
pub mod model;
pub mod noise;
pub mod pictures;
pub mod pretraining;
pub mod retrieval;
pub mod sample;
mod session;
#[cfg(all(test, not(feature = "webgpu"), not(target_arch = "wasm32")))]
mod tests;
pub mod text;
pub mod time;
pub mod weights;
pub mod words;

pub use batches::{PictureBatches, validation_batch};
pub use config::DiffusionConfig;
pub use flow::FlowBatch;
pub use model::DiffusionModel;
pub use pictures::Pictures;
pub use pretraining::{DiffusionPretraining, DiffusionSettings};
pub use retrieval::{Gallery, Retrieval};
pub use sample::{DenoisingSettings, Sampler};
pub use weights::DiffusionWeights;
pub use words::Words;
