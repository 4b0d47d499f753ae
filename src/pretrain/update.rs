//! The update of all weights of a model, and what it keeps between steps.

use burn::tensor::{Device, Tensor};

use super::weight::Weight;
use crate::optim::{
    Coefficients, Moments, OptimizerSettings,
    clip::{clip_factor, global_norm},
    muon,
};
use crate::tensor_file::{TensorFile, TensorFileError};
use crate::train::SessionError;

/// An optimizer of all weights; [`crate::optim`] takes a weight for a bank of one run.
#[derive(Debug)]
pub struct Update {
    optimizer: OptimizerSettings,
    /// Steps in all; the schedule ends there.
    steps: u32,
    /// Steps done.
    pub step: u32,
    moments: Vec<Moments>,
}

impl Update {
    /// Fresh moments for `weights`.
    ///
    /// # Errors
    /// A hyper-parameter out of range, or a preconditioner.
    pub fn new(
        optimizer: OptimizerSettings,
        steps: u32,
        weights: &[Weight],
    ) -> Result<Self, SessionError> {
        let run = |error| SessionError::Run { index: 0, error };
        optimizer.validate().map_err(run)?;
        if optimizer.preconditioner.is_some() {
            return Err(SessionError::setting(
                "preconditioner",
                "set",
                "it preconditions factors of adapters; leave it out here",
            ));
        }
        Ok(Self {
            optimizer,
            steps,
            step: 0,
            moments: weights.iter().map(|w| Moments::new(&w.value)).collect(),
        })
    }

    /// Clips the gradients by their global norm and updates all weights; vectors do not decay.
    ///
    /// Gives the raw gradients' norm, [1, 1, 1]; `None` where there are no gradients.
    pub fn apply(
        &mut self,
        weights: &mut [Weight],
        gradients: Vec<Tensor<3>>,
        device: &Device,
    ) -> Option<Tensor<3>> {
        let (first, others) = gradients.split_first()?;
        let norm = global_norm(first, others);
        let coefficients = |weight_decay: f64| {
            let optimizer = OptimizerSettings {
                weight_decay,
                ..self.optimizer
            };
            Coefficients::new(&[optimizer], &[false], self.step, self.steps, 1.0, device)
        };
        let matrices = coefficients(self.optimizer.weight_decay);
        let vectors = coefficients(0.0);
        let clip = clip_factor(norm.clone(), matrices.max_grad_norm.clone());
        let updates = weights.iter_mut().zip(&mut self.moments);
        for ((weight, moments), gradient) in updates.zip(gradients) {
            let all = if weight.is_matrix() {
                &matrices
            } else {
                &vectors
            };
            let direction =
                moments.direction(gradient * clip.clone(), &all.a, all, muon::direction);
            weight.value = weight.value.clone() * all.a.keep.clone() - direction * all.a.lr.clone();
        }
        self.step += 1;
        Some(norm)
    }

    /// Weights and moments under the names of a checkpoint.
    pub fn tensors(&self, weights: &[Weight]) -> Vec<(String, Tensor<3>)> {
        let weights = weights.iter().zip(&self.moments);
        let named = weights.flat_map(|(weight, moments)| {
            let name = &weight.name;
            [
                (name.clone(), weight.value.clone()),
                (format!("{name}.first_moment"), moments.first.clone()),
                (format!("{name}.second_moment"), moments.second.clone()),
            ]
        });
        named.collect()
    }

    /// Takes weights and moments out of a checkpoint.
    ///
    /// # Errors
    /// A tensor that is missing or does not fit.
    pub fn read(
        &mut self,
        weights: &mut [Weight],
        file: &TensorFile<'_>,
        device: &Device,
    ) -> Result<(), TensorFileError> {
        for (weight, moments) in weights.iter_mut().zip(&mut self.moments) {
            let (name, shape) = (&weight.name, weight.value.dims());
            moments.first = file.tensor(&format!("{name}.first_moment"), shape, device)?;
            moments.second = file.tensor(&format!("{name}.second_moment"), shape, device)?;
            weight.value = file.tensor(name, shape, device)?;
        }
        Ok(())
    }
}
