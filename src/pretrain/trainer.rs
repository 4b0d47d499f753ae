//! One step of pretraining, and its checkpoint.

use burn::tensor::{Tensor, Transaction, activation::log_softmax};
use serde::{Deserialize, Serialize};

use super::{Weights, update::Update, weight::gradients};
use crate::data::Batch;
use crate::engine::EngineError;
use crate::model::{Context, ModelConfig};
use crate::optim::OptimizerSettings;
use crate::tensor_file::{self, TensorFile};
use crate::train::{
    BatchLosses, SessionError, head::AskedRows, labels::NeededTokens, language::losses,
};

/// Key of the safetensors metadata that holds everything but tensors.
const STATE: &str = "riemann_lora_pretraining";

/// What is pretrained, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainSettings {
    /// Shape of the model.
    pub model: ModelConfig,
    /// The optimizer; its preconditioner is for adapters and must be absent.
    pub optimizer: OptimizerSettings,
    /// Sequences a step.
    pub batch_size: u32,
    /// Steps in all; the schedule ends there.
    pub steps: u32,
    /// Seed of the weights.
    pub seed: u32,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PretrainReport {
    /// Counts from 1.
    pub step: u32,
    /// Mean cross entropy before the update, in nats.
    pub loss: f32,
    /// Global L2 norm of the raw gradients.
    pub grad_norm: f32,
}

impl PretrainReport {
    /// Reads loss and norm back, both at once.
    ///
    /// # Errors
    /// A device that failed.
    pub(crate) async fn read(
        step: u32,
        loss: Tensor<1>,
        norm: Tensor<3>,
    ) -> Result<Self, SessionError> {
        let read = Transaction::default().register(loss).register(norm);
        let read = read.execute_async().await.map_err(EngineError::from)?;
        let mut numbers = read.iter().flat_map(|data| data.iter::<f32>());
        Ok(Self {
            step,
            loss: numbers.next().unwrap_or(f32::NAN),
            grad_norm: numbers.next().unwrap_or(f32::NAN),
        })
    }
}

/// A model that is being pretrained.
#[derive(Debug)]
pub struct Pretraining {
    settings: PretrainSettings,
    pub(super) weights: Weights,
    update: Update,
}

#[derive(Debug, Serialize, Deserialize)]
struct State {
    settings: PretrainSettings,
    step: u32,
}

impl Pretraining {
    /// Fresh weights.
    ///
    /// # Errors
    /// The first setting out of range.
    pub fn new(
        settings: PretrainSettings,
        device: &burn::tensor::Device,
    ) -> Result<Self, SessionError> {
        for (field, value) in [
            ("batch_size", settings.batch_size),
            ("steps", settings.steps),
        ] {
            if value == 0 {
                return Err(SessionError::setting(field, value, "it must be 1 or more"));
            }
        }
        let weights = Weights::new(&settings.model, u64::from(settings.seed), device)
            .map_err(|error| SessionError::setting(error.field, error.value, error.expected))?;
        Ok(Self {
            update: Update::new(settings.optimizer, settings.steps, &weights.weights)?,
            weights,
            settings,
        })
    }

    /// What it was made with.
    pub fn settings(&self) -> &PretrainSettings {
        &self.settings
    }

    /// The weights as they are now.
    pub fn weights(&self) -> &Weights {
        &self.weights
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
    ///
    /// # Errors
    /// A batch that is too long, or of which nothing counts.
    pub fn gradients(&self, batch: &Batch) -> Result<(Tensor<1>, Vec<Tensor<3>>), SessionError> {
        let tracked = self.weights.tracked();
        let base = tracked.base();
        base.check_length(batch.tokens)?;
        let needed = NeededTokens::new(batch).ok_or(SessionError::NothingCounts)?;
        let labels = needed.labels(1, &self.weights.device);
        let context = Context {
            lengths: Some(&needed.lengths),
            ..Context::default()
        };
        let hidden = base.forward(needed.ids(1, &self.weights.device), context); // [N, C]
        let asked = AskedRows::new(&base, hidden, labels);
        // Not the head's own gradient, which is for a frozen one: here its weights are trained too.
        let likelihoods = log_softmax(base.logits(asked.rows), 1); // [n, V]
        let wanted = likelihoods.gather(1, asked.targets.unsqueeze_dim::<2>(1)); // [n, 1]
        let loss = wanted.mean().neg();
        let gradients = gradients(&loss, &tracked.weights);
        Ok((loss.inner(), gradients))
    }

    /// One update of all weights.
    ///
    /// # Errors
    /// A batch that is too long, or of which nothing counts; a device that failed.
    pub async fn step(&mut self, batch: &Batch) -> Result<PretrainReport, SessionError> {
        let (loss, gradients) = self.gradients(batch)?;
        let norm = self
            .update
            .apply(&mut self.weights.weights, gradients, &self.weights.device)
            .ok_or(SessionError::NothingCounts)?;
        PretrainReport::read(self.update.step, loss, norm).await
    }

    /// Summed losses of one held-out batch.
    ///
    /// # Errors
    /// A batch that is too long, or a device that failed.
    pub async fn evaluate(&self, batch: &Batch) -> Result<BatchLosses, SessionError> {
        let base = self.weights.base();
        base.check_length(batch.tokens)?;
        BatchLosses::read(losses(&base, None, batch), 1).await
    }

    /// Weights, moments and position, as a safetensors file.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn checkpoint(&self) -> Result<Vec<u8>, SessionError> {
        let state = State {
            settings: self.settings.clone(),
            step: self.update.step,
        };
        let state = serde_json::to_string(&state).map_err(wrong)?;
        let tensors = self.update.tensors(&self.weights.weights);
        Ok(tensor_file::write(tensors, (STATE, state)).await?)
    }

    /// The pretraining that [`Pretraining::checkpoint`] saved.
    ///
    /// # Errors
    /// Bytes that are no such file.
    pub fn resume(bytes: &[u8], device: &burn::tensor::Device) -> Result<Self, SessionError> {
        let state = tensor_file::read_metadata(bytes, STATE)?
            .ok_or_else(|| wrong("it holds no pretraining; choose another file"))?;
        let state: State = serde_json::from_str(&state).map_err(wrong)?;
        let mut resumed = Self::new(state.settings, device)?;
        resumed.update.step = state.step;
        let file = TensorFile::open(bytes)?;
        let weights = &mut resumed.weights.weights;
        resumed.update.read(weights, &file, device)?;
        Ok(resumed)
    }
}

fn wrong(error: impl ToString) -> SessionError {
    SessionError::Checkpoint(error.to_string())
}
