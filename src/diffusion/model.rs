//! Text encoder and denoiser together.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{
    config::DiffusionConfig, denoiser::Denoiser, text::TextEncoder, time::waves,
    weights::parameters,
};
use crate::model::{Context, FrozenWeight, WeightForm};

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
    /// The same model with the weights of its blocks in another form.
    pub fn in_form(mut self, form: WeightForm) -> Self {
        let text = self.text.blocks.iter_mut().map(|block| &mut block.block);
        let denoiser = self
            .denoiser
            .blocks
            .iter_mut()
            .map(|block| &mut block.block);
        for weight in text.chain(denoiser).flat_map(|block| &mut block.linears) {
            *weight = weight.clone().in_form(form);
        }
        self
    }

    /// Bytes that the weights take.
    pub fn held_bytes(&self) -> f64 {
        let text = self.text.blocks.iter().map(|block| &block.block);
        let blocks = text.chain(self.denoiser.blocks.iter().map(|block| &block.block));
        let linears: Vec<&FrozenWeight> = blocks.flat_map(|block| &block.linears).collect();
        let values: usize = linears
            .iter()
            .map(|w| w.dims().iter().product::<usize>())
            .sum();
        let others = (parameters(&self.config) - values) * size_of::<f32>();
        (linears.iter().map(|w| w.bytes()).sum::<usize>() + others) as f64
    }

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
