//! Forward and backward of all runs on one batch.

use burn::tensor::{Gradients, Tensor};

use super::head::{chunk_rows, losses_and_gradient};
use super::labels::{CountedLabels, repeat_ids};
use crate::data::Batch;
use crate::diffusion::{DiffusionModel, FlowBatch};
use crate::model::{Adapters, Base, Context, Dropout};
use crate::optim::BankGradients;

/// A forward pass that is ready for its backward.
#[derive(Debug)]
pub struct Pass {
    /// Cross entropy of every counted label, or error of every picture, those of run 0 first, [K·n].
    pub losses: Tensor<1>,
    /// Counted labels or pictures of one run, n.
    pub count: usize,
    adapters: Adapters,
    surrogate: Tensor<1>,
}

impl Pass {
    /// Base, adapters and head on `batch`, for every run of `adapters`.
    ///
    /// `None` where no label of the batch counts.
    pub fn forward(
        model: &Base,
        adapters: &Adapters,
        dropout: Option<&Dropout>,
        batch: &Batch,
    ) -> Option<Self> {
        let runs = adapters.runs;
        let labels = CountedLabels::new(batch, runs, &model.device)?;
        let adapters = adapters.tracked();
        let context = Context {
            adapters: Some(&adapters),
            dropout,
            cache: None,
        };
        let hidden = model.forward(repeat_ids(batch, runs, &model.device), context); // [K·B·T, C]
        let chunk = chunk_rows(hidden.dims()[0]);
        let rows = model.normalise(hidden.select(0, labels.rows)); // [K·n, C]
        let (losses, gradient) =
            losses_and_gradient(model, &rows.clone().inner(), &labels.targets, chunk);
        // The gradient of Σ runs' mean losses with respect to the rows is known, so this sum has
        // the same gradient in everything below the head.
        let gradient = gradient.div_scalar(labels.count as f64);
        Some(Self {
            surrogate: (rows * gradient).sum(),
            losses,
            count: labels.count,
            adapters,
        })
    }

    /// Text-to-image model and adapters on `batch`, for every run of `adapters`.
    pub fn of_pictures(
        model: &DiffusionModel,
        adapters: &Adapters,
        dropout: Option<&Dropout>,
        batch: &FlowBatch,
    ) -> Self {
        let adapters = adapters.tracked();
        let context = Context {
            adapters: Some(&adapters),
            dropout,
            cache: None,
        };
        let losses = batch.losses(model, &context); // [K·B]
        Self {
            // The sum over runs of their mean losses: its gradient in a run's factors is that run's own.
            surrogate: losses.clone().sum().div_scalar(batch.rows as f64),
            losses: losses.inner(),
            count: batch.rows,
            adapters,
        }
    }

    /// Gradients of each run's mean loss, in the order of [`Adapters::banks`].
    pub fn backward(self) -> Vec<BankGradients> {
        let mut gradients = self.surrogate.backward();
        self.adapters
            .banks()
            .map(|bank| BankGradients {
                a: gradient_or_zeros(&bank.a, &mut gradients),
                b: gradient_or_zeros(&bank.b, &mut gradients),
            })
            .collect()
    }
}

/// A factor that no path of the graph reaches has a gradient of zero.
fn gradient_or_zeros(factor: &Tensor<3>, gradients: &mut Gradients) -> Tensor<3> {
    factor
        .grad_remove(gradients)
        .unwrap_or_else(|| factor.clone().inner().zeros_like())
}
