//! One step of pretraining, and its checkpoint.

use burn::tensor::{Tensor, Transaction, activation::log_softmax};
use serde::{Deserialize, Serialize};

use super::Weights;
use crate::data::Batch;
use crate::model::{Context, ModelConfig};
use crate::optim::{
    Coefficients, Moments, OptimizerSettings,
    clip::{clip_factor, global_norm},
};
use crate::tensor_file::{self, TensorFile};
use crate::train::{
    BatchLosses, SessionError,
    head::{chunk_rows, losses},
    labels::{CountedLabels, repeat_ids},
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

/// A model that is being pretrained.
#[derive(Debug)]
pub struct Pretraining {
    settings: PretrainSettings,
    pub(super) weights: Weights,
    moments: Vec<Moments>,
    step: u32,
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
        let run = |error| SessionError::Run { index: 0, error };
        settings.optimizer.validate().map_err(run)?;
        if settings.optimizer.preconditioner.is_some() {
            return Err(SessionError::setting(
                "preconditioner",
                "set",
                "it preconditions factors of adapters; leave it out here",
            ));
        }
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
            moments: weights
                .weights
                .iter()
                .map(|w| Moments::new(&w.value))
                .collect(),
            weights,
            settings,
            step: 0,
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
        self.step
    }

    /// Whether all steps are done.
    pub fn is_finished(&self) -> bool {
        self.step >= self.settings.steps
    }

    /// Loss and gradients of all weights on `batch`.
    ///
    /// # Errors
    /// A batch that is too long, or of which nothing counts.
    pub fn gradients(&self, batch: &Batch) -> Result<(Tensor<1>, Vec<Tensor<3>>), SessionError> {
        let tracked = self.weights.tracked();
        let base = tracked.base();
        base.check_length(batch.tokens)?;
        let labels = CountedLabels::new(batch, 1, &self.weights.device)
            .ok_or(SessionError::NothingCounts)?;
        let ids = repeat_ids(batch, 1, &self.weights.device);
        let hidden = base.forward(ids, Context::default()); // [B·T, C]
        let rows = base.normalise(hidden.select(0, labels.rows)); // [n, C]
        let likelihoods = log_softmax(base.logits(rows), 1); // [n, V]
        let wanted = likelihoods.gather(1, labels.targets.unsqueeze_dim::<2>(1)); // [n, 1]
        let loss = wanted.mean().neg();
        let mut gradients = loss.backward();
        let of_weights = tracked.weights.iter().map(|weight| {
            let gradient = weight.value.grad_remove(&mut gradients);
            gradient.unwrap_or_else(|| weight.value.clone().inner().zeros_like())
        });
        Ok((loss.inner(), of_weights.collect()))
    }

    /// One update of all weights.
    ///
    /// # Errors
    /// A batch that is too long, or of which nothing counts; a device that failed.
    pub async fn step(&mut self, batch: &Batch) -> Result<PretrainReport, SessionError> {
        let (loss, gradients) = self.gradients(batch)?;
        let norm = global_norm(gradients.iter()).ok_or(SessionError::NothingCounts)?; // [1, 1, 1]
        let coefficients = |weight_decay: f64| {
            let optimizer = OptimizerSettings {
                weight_decay,
                ..self.settings.optimizer
            };
            let (step, steps) = (self.step, self.settings.steps);
            Coefficients::new(
                &[optimizer],
                &[false],
                step,
                steps,
                1.0,
                &self.weights.device,
            )
        };
        let matrices = coefficients(self.settings.optimizer.weight_decay);
        let vectors = coefficients(0.0);
        let clip = clip_factor(norm.clone(), matrices.max_grad_norm.clone());
        let updates = self.weights.weights.iter_mut().zip(&mut self.moments);
        for ((weight, moments), gradient) in updates.zip(gradients) {
            let all = if weight.is_matrix() {
                &matrices
            } else {
                &vectors
            };
            let direction = moments.direction(gradient * clip.clone(), &all.a, all);
            weight.value = weight.value.clone() * all.a.keep.clone() - direction * all.a.lr.clone();
        }
        let read = Transaction::default().register(loss).register(norm);
        let read = read.execute_async().await.map_err(device_error)?;
        let mut numbers = read.iter().flat_map(|data| data.iter::<f32>());
        self.step += 1;
        Ok(PretrainReport {
            step: self.step,
            loss: numbers.next().unwrap_or(f32::NAN),
            grad_norm: numbers.next().unwrap_or(f32::NAN),
        })
    }

    /// Summed losses of one held-out batch.
    ///
    /// # Errors
    /// A batch that is too long, or a device that failed.
    pub async fn evaluate(&self, batch: &Batch) -> Result<BatchLosses, SessionError> {
        let base = self.weights.base();
        base.check_length(batch.tokens)?;
        let Some(labels) = CountedLabels::new(batch, 1, &base.device) else {
            return Ok(BatchLosses {
                sums: vec![0.0],
                count: 0,
            });
        };
        let hidden = base.forward(repeat_ids(batch, 1, &base.device), Context::default());
        let chunk = chunk_rows(hidden.dims()[0]);
        let rows = base.normalise(hidden.select(0, labels.rows));
        let sum = losses(&base, &rows, &labels.targets, chunk).sum();
        let sum = sum.into_data_async().await.map_err(device_error)?;
        Ok(BatchLosses {
            sums: sum.iter::<f32>().map(f64::from).collect(),
            count: labels.count,
        })
    }

    /// Weights, moments and position, as a safetensors file.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn checkpoint(&self) -> Result<Vec<u8>, SessionError> {
        let state = State {
            settings: self.settings.clone(),
            step: self.step,
        };
        let state = serde_json::to_string(&state).map_err(wrong)?;
        let weights = self.weights.weights.iter().zip(&self.moments);
        let tensors = weights.flat_map(|(weight, moments)| {
            let name = &weight.tensor.name;
            [
                (name.clone(), weight.value.clone()),
                (format!("{name}.first_moment"), moments.first.clone()),
                (format!("{name}.second_moment"), moments.second.clone()),
            ]
        });
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
        resumed.step = state.step;
        let file = TensorFile::open(bytes)?;
        for (weight, moments) in resumed.weights.weights.iter_mut().zip(&mut resumed.moments) {
            let (name, shape) = (&weight.tensor.name, weight.value.dims());
            moments.first = file.tensor(&format!("{name}.first_moment"), shape, device)?;
            moments.second = file.tensor(&format!("{name}.second_moment"), shape, device)?;
            weight.value = file.tensor(name, shape, device)?;
        }
        Ok(resumed)
    }
}

fn wrong(error: impl ToString) -> SessionError {
    SessionError::Checkpoint(error.to_string())
}

fn device_error(error: burn::tensor::ExecutionError) -> SessionError {
    SessionError::Device(error.to_string())
}
