//! Sessions on a text-to-image model: other adapters, another forward pass, everything else is the language model's.

use std::ops::Range;

use burn::tensor::{Device, Tensor};

use super::{DiffusionModel, FlowBatch, weights::linear_shape};
use crate::model::{Adapters, Context, Places, Target};
use crate::optim::SettingError;
use crate::train::{
    SessionError, SessionSettings, Trainable,
    gradients::{Pass, PassSettings},
    settings::{MAXIMUM_RANK, adapter_shape, validate_beside_targets, validate_names},
};

impl Trainable for DiffusionModel {
    type Batch = FlowBatch;

    fn device(&self) -> &Device {
        &self.device
    }

    /// The text encoder's.
    fn first_blocks(&self) -> usize {
        self.config.text_layers
    }

    fn validate(&self, settings: &SessionSettings) -> Result<(), SessionError> {
        validate_names(&settings.targets)?;
        let unknown = |target: &&Target| !Target::LLAMA.contains(target);
        if let Some(other) = settings.targets.iter().find(unknown) {
            return Err(SessionError::setting(
                "targets",
                other.name(),
                "this model has no such layer; choose among those of a Llama",
            ));
        }
        if settings.gradient_checkpointing {
            return Err(SessionError::setting(
                "gradient_checkpointing",
                "true",
                "a text-to-image model keeps all its blocks; choose false, and a smaller micro_batch_size to save memory",
            ));
        }
        let config = &self.config;
        let largest = config.hidden_size.min(config.intermediate_size);
        validate_beside_targets(settings, largest.min(MAXIMUM_RANK as usize))?;
        for (index, run) in settings.runs.iter().enumerate() {
            let lr = run.text_lr.unwrap_or(run.optimizer.lr);
            SettingError::unless_rate("text_lr", lr)
                .map_err(|error| SessionError::Run { index, error })?;
        }
        Ok(())
    }

    fn fresh_adapters(&self, settings: &SessionSettings) -> Adapters {
        let config = &self.config;
        Adapters::of_layers(
            config.text_layers + config.denoiser_layers,
            |target| Some(linear_shape(target, config)),
            adapter_shape(settings),
            settings.runs.len(),
            u64::from(settings.seed),
            &self.device,
        )
    }

    fn check(&self, _: &FlowBatch) -> Result<(), SessionError> {
        Ok(())
    }

    fn rows(batch: &FlowBatch) -> usize {
        batch.rows
    }

    fn size(batch: &FlowBatch) -> usize {
        batch.rows
    }

    fn counted(batch: &FlowBatch) -> usize {
        batch.rows
    }

    fn part(batch: &FlowBatch, rows: Range<usize>) -> FlowBatch {
        batch.part(rows)
    }

    fn places(_: &FlowBatch) -> Option<Places> {
        None
    }

    fn forward_pass<'a>(
        &'a self,
        adapters: &'a Adapters,
        batch: &FlowBatch,
        settings: PassSettings<'a>,
    ) -> Option<Pass<'a>> {
        let pass = Pass::of_graph(adapters, settings, |context| {
            let losses = batch.losses(self, &context); // [K·B]
            // The sum over runs of their mean losses: its gradient in a run's factors is that run's own.
            let surrogate = losses.clone().sum().div_scalar(settings.whole as f64);
            (losses.inner(), surrogate)
        });
        Some(pass)
    }

    fn losses(&self, adapters: &Adapters, batch: &FlowBatch) -> Option<Tensor<2>> {
        let context = Context {
            adapters: Some(adapters),
            ..Context::default()
        };
        let losses = batch.losses(self, &context);
        Some(losses.reshape([adapters.runs, batch.rows]))
    }
}
