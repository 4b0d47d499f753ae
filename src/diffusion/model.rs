//! Text encoder and denoiser together.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{config::DiffusionConfig, denoiser::Denoiser, text::TextEncoder, time::waves};
use crate::model::Context;

/// A text-to-image model.
///
/// Adapters count the blocks of both parts in one list: the text encoder's first, then the denoiser's.
#[derive(Debug, Clone)]
pub struct DiffusionModel {
    /// Its shape.
    pub config: DiffusionConfig,
    /// Where its weights are.
    pub device: Device,
    /// Reads captions.
    pub text: TextEncoder,
    /// Reads noisy pictures.
    pub denoiser: Denoiser,
}

impl DiffusionModel {
    /// Captions to the vectors that the denoiser reads.
    ///
    /// # Shapes
    /// - `ids`: [S, W], row by row; with adapters of K runs the sequences of run 0 come first
    /// - result: [S, W, C]
    pub fn encode(&self, ids: &[i32], context: &Context<'_>) -> Tensor<3> {
        let places = self.config.caption_length;
        let data = TensorData::new(ids.to_vec(), [ids.len() / places, places]);
        let ids = Tensor::<2, Int>::from_data(data, &self.device);
        self.text
            .forward(ids, self.config.num_attention_heads, context)
    }

    /// The velocity from picture to noise at each noisy picture.
    ///
    /// # Shapes
    /// - `patches`: [S, P, patch values]; with adapters of K runs the pictures of run 0 come first
    /// - `times`: [S]
    /// - `text`: [S, W, C] of [`DiffusionModel::encode`]
    /// - result: [S, P, patch values]
    pub fn velocity(
        &self,
        patches: Tensor<3>,
        times: &[f64],
        text: Tensor<3>,
        context: &Context<'_>,
    ) -> Tensor<3> {
        let waves = waves(times, self.config.hidden_size, &self.device);
        let heads = self.config.num_attention_heads;
        let first_layer = self.config.text_layers;
        self.denoiser
            .forward(patches, waves, text, heads, first_layer, context)
    }
}
