//! Training of all weights from nothing.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{config::DiffusionConfig, flow::FlowBatch, weights::DiffusionWeights};
use crate::engine::EngineError;
use crate::model::Context;
use crate::optim::OptimizerSettings;
use crate::pretrain::{PretrainReport, update::Update, weight::gradients};
use crate::tensor_file::{self, TensorFile};
use crate::train::SessionError;

/// Key of the safetensors metadata that holds everything but tensors.
const STATE: &str = "riemann_lora_diffusion_pretraining";

/// What is pretrained, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffusionSettings {
    /// Shape of the model.
    pub model: DiffusionConfig,
    /// The optimizer; its preconditioner is for adapters and must be absent.
    pub optimizer: OptimizerSettings,
    /// What stays of the running average of the weights at each step; the average is what is written.
    pub average_decay: f64,
    /// Share of captions that are left out.
    pub caption_dropout: f64,
    /// Pictures a step.
    pub batch_size: u32,
    /// Steps in all; the schedule ends there.
    pub steps: u32,
    /// Seed of weights, order, times and noise.
    pub seed: u32,
}

/// A model that is being pretrained.
#[derive(Debug)]
pub struct DiffusionPretraining {
    settings: DiffusionSettings,
    pub(super) weights: DiffusionWeights,
    average: DiffusionWeights,
    update: Update,
}

#[derive(Debug, Serialize, Deserialize)]
struct State {
    settings: DiffusionSettings,
    step: u32,
}

impl DiffusionPretraining {
    /// Fresh weights.
    ///
    /// # Errors
    /// The first setting out of range.
    pub fn new(settings: DiffusionSettings, device: &Device) -> Result<Self, SessionError> {
        for (field, value) in [
            ("batch_size", settings.batch_size),
            ("steps", settings.steps),
        ] {
            if value == 0 {
                return Err(SessionError::setting(field, value, "it must be 1 or more"));
            }
        }
        for (field, value) in [
            ("average_decay", settings.average_decay),
            ("caption_dropout", settings.caption_dropout),
        ] {
            if !(0.0..1.0).contains(&value) {
                let expected = "it must be at least 0 and below 1";
                return Err(SessionError::setting(field, value, expected));
            }
        }
        let weights = DiffusionWeights::new(&settings.model, u64::from(settings.seed), device)
            .map_err(|error| SessionError::setting(error.field, error.value, error.expected))?;
        Ok(Self {
            update: Update::new(settings.optimizer, settings.steps, &weights.weights)?,
            average: weights.clone(),
            weights,
            settings,
        })
    }

    /// What it was made with.
    pub fn settings(&self) -> &DiffusionSettings {
        &self.settings
    }

    /// The running average of the weights, which draws better than their last values.
    pub fn average(&self) -> &DiffusionWeights {
        &self.average
    }

    /// Begins from the weights of a model instead of fresh ones.
    pub fn start_from(&mut self, weights: DiffusionWeights) {
        self.average = weights.clone();
        self.weights = weights;
    }

    /// Steps done.
    pub fn steps_done(&self) -> u32 {
        self.update.step
    }

    /// Whether all steps are done.
    pub fn is_finished(&self) -> bool {
        self.update.step >= self.settings.steps
    }

    /// Loss and gradients of all weights on `batch`.
    pub fn gradients(&self, batch: &FlowBatch) -> (Tensor<1>, Vec<Tensor<3>>) {
        let tracked = self.weights.tracked();
        let loss = batch.losses(&tracked.model(), &Context::default()).mean();
        let gradients = gradients(&loss, &tracked.weights);
        (loss.inner(), gradients)
    }

    /// One update of all weights.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn step(&mut self, batch: &FlowBatch) -> Result<PretrainReport, SessionError> {
        let (loss, gradients) = self.gradients(batch);
        let norm = self
            .update
            .apply(&mut self.weights.weights, gradients, &self.weights.device)
            .ok_or(SessionError::NothingCounts)?;
        // Early on the average would be of weights that have learned nothing: it is taken over a tenth of the steps so
        // far at most, as in TensorFlow's ExponentialMovingAverage.
        let step = f64::from(self.update.step);
        let decay = self
            .settings
            .average_decay
            .min((1.0 + step) / (10.0 + step));
        for (average, weight) in self.average.weights.iter_mut().zip(&self.weights.weights) {
            let fresh = weight.value.clone().mul_scalar(1.0 - decay);
            average.value = average.value.clone().mul_scalar(decay) + fresh;
        }
        PretrainReport::read(self.update.step, loss, norm).await
    }

    /// Mean loss of the averaged weights on one batch.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn evaluate(&self, batch: &FlowBatch) -> Result<f64, SessionError> {
        let loss = batch.losses(&self.average.model(), &Context::default());
        let data = loss
            .mean()
            .into_data_async()
            .await
            .map_err(EngineError::from)?;
        Ok(data.iter::<f32>().next().map_or(f64::NAN, f64::from))
    }

    /// Weights, their average, moments and position, as a safetensors file.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn checkpoint(&self) -> Result<Vec<u8>, SessionError> {
        let state = State {
            settings: self.settings.clone(),
            step: self.update.step,
        };
        let state = serde_json::to_string(&state).map_err(wrong)?;
        let mut tensors = self.update.tensors(&self.weights.weights);
        let average = self.average.weights.iter();
        tensors.extend(average.map(|w| (average_name(&w.name), w.value.clone())));
        Ok(tensor_file::write(tensors, (STATE, state)).await?)
    }

    /// The pretraining that [`DiffusionPretraining::checkpoint`] saved.
    ///
    /// # Errors
    /// Bytes that are no such file.
    pub fn resume(bytes: &[u8], device: &Device) -> Result<Self, SessionError> {
        let state = tensor_file::read_metadata(bytes, STATE)?
            .ok_or_else(|| wrong("it holds no pretraining of pictures; choose another file"))?;
        let state: State = serde_json::from_str(&state).map_err(wrong)?;
        let mut resumed = Self::new(state.settings, device)?;
        resumed.update.step = state.step;
        let file = TensorFile::open(bytes)?;
        let weights = &mut resumed.weights.weights;
        resumed.update.read(weights, &file, device)?;
        for weight in &mut resumed.average.weights {
            let name = average_name(&weight.name);
            weight.value = file.tensor(&name, weight.value.dims(), device)?;
        }
        Ok(resumed)
    }
}

fn average_name(name: &str) -> String {
    format!("{name}.average")
}

fn wrong(error: impl ToString) -> SessionError {
    SessionError::Checkpoint(error.to_string())
}
