//! Noise to pictures: Euler's method along the velocity, with classifier-free guidance (Ho and Salimans,
//! arXiv 2207.12598).

use burn::tensor::{Tensor, TensorData};

use super::{
    config::DiffusionConfig, model::DiffusionModel, noise::Noise, pictures::from_patches,
    words::NO_WORD,
};
use crate::engine::EngineError;
use crate::model::{Adapters, Context};
use crate::train::SessionError;

/// How pictures are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DenoisingSettings {
    /// Euler steps.
    pub steps: u32,
    /// Velocity without caption, plus so many times what the caption adds; 1 is the caption alone.
    pub guidance: f64,
    /// Seed of the noise; picture i of every grid begins with the same noise.
    pub seed: u64,
}

impl Default for DenoisingSettings {
    fn default() -> Self {
        Self {
            steps: 20,
            guidance: 3.0,
            seed: 0,
        }
    }
}

/// Pictures on their way from noise, for every run of an adapter bank. A step at a time, so that a page can breathe.
#[derive(Debug)]
pub struct Sampler<'a> {
    model: &'a DiffusionModel,
    adapters: Option<&'a Adapters>,
    settings: DenoisingSettings,
    /// With captions, then without: [K·2·B, W, C].
    text: Tensor<3>,
    /// [K, B, picture].
    x: Tensor<3>,
    step: u32,
}

impl<'a> Sampler<'a> {
    /// Noise for each caption, the same for every run.
    ///
    /// # Shapes
    /// - `ids`: [B, W]
    pub fn new(
        model: &'a DiffusionModel,
        adapters: Option<&'a Adapters>,
        ids: &[i32],
        settings: DenoisingSettings,
    ) -> Self {
        let runs = adapters.map_or(1, |adapters| adapters.runs);
        let values = model.config.picture_values();
        let pictures = ids.len() / model.config.caption_length;
        // A stream a picture, so that a picture does not depend on how many are drawn with it.
        let noise: Vec<f32> = (0..pictures as u64)
            .flat_map(|picture| Noise::new(settings.seed, picture).normals(values))
            .collect();
        let data = TensorData::new(noise, [1, pictures, values]);
        let mut both = ids.to_vec();
        both.resize(2 * ids.len(), NO_WORD);
        let context = Context {
            adapters,
            ..Context::default()
        };
        Self {
            text: model.encode(&both.repeat(runs), &context),
            x: Tensor::from_data(data, &model.device).repeat_dim(0, runs),
            model,
            adapters,
            settings,
            step: 0,
        }
    }

    /// Whether the pictures are ready.
    pub fn is_finished(&self) -> bool {
        self.step >= self.settings.steps
    }

    /// One step of all pictures towards time 0.
    pub fn step(&mut self) {
        let config = &self.model.config;
        let [runs, pictures, values] = self.x.dims();
        let sequences = runs * 2 * pictures;
        let time = 1.0 - f64::from(self.step) / f64::from(self.settings.steps);
        let context = Context {
            adapters: self.adapters,
            ..Context::default()
        };
        let both = Tensor::cat(vec![self.x.clone(), self.x.clone()], 1);
        let patches = both.reshape([sequences, config.patches(), config.patch_values()]);
        let times = vec![time; sequences];
        let velocity = self
            .model
            .velocity(patches, &times, self.text.clone(), &context);
        let velocity: Tensor<3> = velocity.reshape([runs, 2 * pictures, values]);
        let with = velocity.clone().narrow(1, 0, pictures);
        let without = velocity.narrow(1, pictures, pictures);
        let velocity = without.clone() + (with - without).mul_scalar(self.settings.guidance);
        let length = 1.0 / f64::from(self.settings.steps);
        self.x = self.x.clone() - velocity.mul_scalar(length);
        self.step += 1;
    }

    /// Waits until the steps so far are computed. The CPU engine computes them at once, a GPU in its own time.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn ready(&self) -> Result<(), SessionError> {
        if cfg!(feature = "webgpu") {
            let one = self.x.clone().reshape([-1]).narrow(0, 0, 1);
            let read = one.into_data_async().await;
            read.map_err(EngineError::from)?;
        }
        Ok(())
    }

    /// The pictures as they are now, as bytes of sRGB.
    ///
    /// # Errors
    /// A device that failed.
    ///
    /// # Shapes
    /// - result: for each run, for each caption, [size, size, 3]
    pub async fn pictures(&self) -> Result<Vec<Vec<Vec<u8>>>, SessionError> {
        let [_, pictures, _] = self.x.dims();
        let values = self.values().await?;
        let config: &DiffusionConfig = &self.model.config;
        let all: Vec<Vec<u8>> = values
            .chunks_exact(config.picture_values())
            .map(|patches| from_patches(patches, config))
            .collect();
        Ok(all.chunks(pictures.max(1)).map(<[_]>::to_vec).collect())
    }

    /// The values as they are now, [K, B, P, patch values].
    ///
    /// # Errors
    /// A device that failed.
    pub async fn values(&self) -> Result<Vec<f32>, SessionError> {
        let data = self.x.clone().into_data_async().await;
        let data = data.map_err(EngineError::from)?;
        Ok(data.iter::<f32>().collect())
    }
}
