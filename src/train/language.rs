//! Sessions on a language model.

use std::ops::Range;

use burn::tensor::{Device, Tensor};

use super::{
    SessionError, SessionSettings,
    gradients::{Pass, PassSettings},
    head::AskedRows,
    labels::{self, NeededTokens},
    settings::{adapter_shape, validate},
    trainable::Trainable,
};
use crate::data::Batch;
use crate::model::{Adapters, Base, Context, Places};

impl Trainable for Base {
    type Batch = Batch;

    fn device(&self) -> &Device {
        &self.device
    }

    fn first_blocks(&self) -> usize {
        0
    }

    fn validate(&self, settings: &SessionSettings) -> Result<(), SessionError> {
        validate(settings, &self.config)
    }

    fn fresh_adapters(&self, settings: &SessionSettings) -> Adapters {
        Adapters::new(
            &self.config,
            adapter_shape(settings),
            settings.runs.len(),
            u64::from(settings.seed),
            &self.device,
        )
    }

    fn check(&self, batch: &Batch) -> Result<(), SessionError> {
        Ok(self.check_length(batch.tokens)?)
    }

    fn rows(batch: &Batch) -> usize {
        batch.rows
    }

    fn size(batch: &Batch) -> usize {
        Self::places(batch).map_or(0, |places| places.count())
    }

    fn counted(batch: &Batch) -> usize {
        labels::count(batch)
    }

    fn part(batch: &Batch, rows: Range<usize>) -> Batch {
        batch.part(rows)
    }

    fn places(batch: &Batch) -> Option<Places> {
        NeededTokens::new(batch).map(|needed| needed.places)
    }

    fn forward_pass<'a>(
        &'a self,
        adapters: &'a Adapters,
        batch: &Batch,
        settings: PassSettings<'a>,
    ) -> Option<Pass<'a>> {
        Pass::forward(self, adapters, batch, settings)
    }

    fn losses(&self, adapters: &Adapters, batch: &Batch) -> Option<Tensor<2>> {
        losses(self, Some(adapters), batch)
    }
}

/// Cross entropy of every label that counts, forward only, in nats: of all runs, or of the base alone without `adapters`;
/// `None` where none counts.
///
/// # Shapes
/// - result: [K, n]
pub fn losses(model: &Base, adapters: Option<&Adapters>, batch: &Batch) -> Option<Tensor<2>> {
    let runs = adapters.map_or(1, |adapters| adapters.runs);
    let needed = NeededTokens::new(batch)?;
    let context = Context {
        adapters,
        lengths: Some(&needed.lengths),
        ..Context::default()
    };
    let hidden = model.forward(needed.ids(runs, &model.device), context); // [K·N, C]
    let asked = AskedRows::new(model, hidden, needed.labels(runs, &model.device));
    Some(asked.losses(model).reshape([runs, asked.count]))
}
