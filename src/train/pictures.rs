//! The session on a text-to-image model: other adapters, another forward pass, everything else is the language model's.

use super::{
    FirstBlocks, Session, SessionError,
    gradients::Pass,
    session::device_error,
    settings::{MAXIMUM_RANK, adapter_shape, validate_beside_targets},
};
use crate::diffusion::{DiffusionModel, FlowBatch, weights::linear_shape};
use crate::messages::{SessionSettings, StepReport};
use crate::model::{Adapters, Context, Target};

impl Session {
    /// Fresh adapters on text encoder and denoiser, and optimizers. `text_lr` is each run's learning rate of the text
    /// encoder's adapters; where it is empty, they have that of the denoiser's.
    ///
    /// # Errors
    /// The first setting out of range.
    pub fn of_pictures(
        model: &DiffusionModel,
        settings: SessionSettings,
        text_lr: Vec<f64>,
    ) -> Result<Self, SessionError> {
        let wrong = |value: &str, expected: &str| {
            Err(SessionError::setting("targets", value, expected.to_owned()))
        };
        if settings.targets.is_empty() {
            return wrong("empty", "choose at least one layer to adapt");
        }
        let mut targets = settings.targets.clone();
        targets.sort_unstable();
        targets.dedup();
        if targets.len() != settings.targets.len() {
            return wrong("a list with repeats", "name each layer once");
        }
        if let Some(other) = targets
            .iter()
            .find(|target| !Target::LLAMA.contains(target))
        {
            let expected = "this model has no such layer; choose among those of a Llama";
            return wrong(other.name(), expected);
        }
        if settings.gradient_checkpointing || settings.micro_batch_size != 0 {
            return Err(SessionError::setting(
                "gradient_checkpointing or micro_batch_size",
                "set",
                "a text-to-image model keeps all blocks and takes a batch at once; leave both out",
            ));
        }
        let config = &model.config;
        let largest = config.hidden_size.min(config.intermediate_size);
        validate_beside_targets(&settings, largest.min(MAXIMUM_RANK as usize))?;
        let unfit = text_lr.len() != settings.runs.len() && !text_lr.is_empty();
        if unfit || text_lr.iter().any(|lr| !lr.is_finite() || *lr < 0.0) {
            let expected = "there must be one for each run, none of them negative";
            return Err(SessionError::setting(
                "text_lr",
                format!("{text_lr:?}"),
                expected,
            ));
        }
        let adapters = Adapters::of_layers(
            config.text_layers + config.denoiser_layers,
            |target| Some(linear_shape(target, config)),
            adapter_shape(&settings),
            settings.runs.len(),
            u64::from(settings.seed),
            &model.device,
        );
        let mut session = Self::with_adapters(settings, adapters);
        session.first_blocks = (!text_lr.is_empty()).then_some(FirstBlocks {
            blocks: config.text_layers,
            lr: text_lr,
        });
        Ok(session)
    }

    /// One step of all runs on `batch`; as [`Session::step`], with pictures in the place of tokens.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn step_on_pictures(
        &mut self,
        model: &DiffusionModel,
        batch: &FlowBatch,
    ) -> Result<StepReport, SessionError> {
        let mut clock = self.clock();
        let dropout = self.dropout(0);
        let pass = Pass::of_pictures(model, &self.adapters, dropout.as_ref(), batch);
        let pictures = batch.rows as u32;
        let gradients = clock.backward(pass).await?;
        self.finish(gradients, pictures, clock, &model.device).await
    }

    /// Each run's mean loss on one held-out batch.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn evaluate_on_pictures(
        &self,
        model: &DiffusionModel,
        batch: &FlowBatch,
    ) -> Result<Vec<f64>, SessionError> {
        let context = Context {
            adapters: Some(&self.adapters),
            ..Context::default()
        };
        let losses = batch.losses(model, &context);
        let runs = self.adapters.runs;
        let means = losses.reshape([runs, batch.rows]).mean_dim(1);
        let means = means.into_data_async().await.map_err(device_error)?;
        Ok(means.iter::<f32>().map(f64::from).collect())
    }
}
