//! What a session needs of the model whose adapters it trains. Everything else of a step is the same for all models.

use std::ops::Range;

use burn::tensor::{Device, Tensor};

use super::{
    SessionError, SessionSettings,
    gradients::{Pass, PassSettings},
};
use crate::model::{Adapters, Places};

/// A frozen model that carries adapters.
pub trait Trainable {
    /// What one step is made on: rows, such as texts.
    type Batch;

    /// Where its weights are.
    fn device(&self) -> &Device;

    /// Blocks at the front whose adapters may have learning rates of their own.
    fn first_blocks(&self) -> usize;

    /// Checks all settings against each other and against the model.
    ///
    /// # Errors
    /// The first setting out of range, with its range.
    fn validate(&self, settings: &SessionSettings) -> Result<(), SessionError>;

    /// Adapters as runs begin with them, for settings that have been checked.
    fn fresh_adapters(&self, settings: &SessionSettings) -> Adapters;

    /// Checks that the model can read a batch.
    ///
    /// # Errors
    /// One that is too long.
    fn check(&self, batch: &Self::Batch) -> Result<(), SessionError>;

    /// Rows of a batch.
    fn rows(batch: &Self::Batch) -> usize;

    /// What a step's report counts of a batch, such as the tokens that it computes.
    fn size(batch: &Self::Batch) -> usize;

    /// Terms of the loss on a batch, such as labels that count.
    fn counted(batch: &Self::Batch) -> usize;

    /// Some rows of a batch.
    fn part(batch: &Self::Batch, rows: Range<usize>) -> Self::Batch;

    /// Which rows of a batch's examples are computed; `None` where all are.
    fn places(batch: &Self::Batch) -> Option<Places>;

    /// Forward pass of all runs on a part of a step's batch that has been checked; `None` where nothing of it counts.
    fn forward_pass<'a>(
        &'a self,
        adapters: &'a Adapters,
        batch: &Self::Batch,
        settings: PassSettings<'a>,
    ) -> Option<Pass<'a>>;

    /// Losses of all runs outside training, on a batch that has been checked; `None` where nothing counts.
    ///
    /// # Shapes
    /// - result: [K, n], one for each term of the loss
    fn losses(&self, adapters: &Adapters, batch: &Self::Batch) -> Option<Tensor<2>>;
}
