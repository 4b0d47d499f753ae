//! Forward and backward of all runs on a step's batch, or on a part of it.

use burn::tensor::{Gradients, Tensor};

use super::gradient_checkpointing::KeptInputs;
use super::head::AskedRows;
use super::labels::{CountedLabels, NeededTokens};
use crate::data::Batch;
use crate::kernel::ProductPrecision;
use crate::model::{Adapters, Bank, Base, Context, Dropout};

/// A forward pass on some of a step's examples, ready for its backward.
#[derive(Debug)]
pub struct Pass<'a> {
    /// The terms of all runs' losses, those of run 0 first, [K·n]: cross entropy of counted labels, where the model reads text.
    pub losses: Tensor<1>,
    /// Runs K.
    runs: usize,
    /// Terms of one run's loss in the whole step.
    whole: usize,
    graph: Graph<'a>,
}

/// What a backward pass starts from.
#[derive(Debug)]
enum Graph<'a> {
    /// A sum whose gradient in the factors is the step's, and the factors that it knows.
    Kept {
        surrogate: Tensor<1>,
        adapters: Box<Adapters>,
    },
    /// What entered each block, and the gradient with respect to what left the last, [K·N, C].
    Checkpointed {
        inputs: Box<KeptInputs<'a>>,
        gradient: Tensor<2>,
    },
}

/// How a forward pass is done.
#[derive(Debug, Clone, Copy)]
pub struct PassSettings<'a> {
    /// Dropout on the adapters' inputs.
    pub dropout: Option<&'a Dropout>,
    /// Terms of one run's loss in the whole step, of which the batch may be a part; at least 1.
    pub whole: usize,
    /// In which numbers weights of the base are multiplied on the way forward.
    pub precision: ProductPrecision,
    /// Whether blocks are computed again in the backward pass instead of kept; only a language model's can be.
    pub gradient_checkpointing: bool,
}

/// Losses and gradients of some of a step's examples; those of all of them add up to the step's.
#[derive(Debug, Clone)]
pub struct StepGradients {
    /// Each run's share of its mean loss, [K, 1].
    pub losses: Tensor<2>,
    /// Of each run's mean loss, in the order of [`Adapters::banks`].
    pub banks: Vec<Bank>,
    /// Terms of one run's loss in the whole step.
    pub whole: usize,
}

impl StepGradients {
    /// Those of both parts together.
    pub fn joined(self, other: Self) -> Self {
        let banks = self.banks.into_iter().zip(other.banks);
        Self {
            losses: self.losses + other.losses,
            banks: banks
                .map(|(one, other)| Bank {
                    a: one.a + other.a,
                    b: one.b + other.b,
                })
                .collect(),
            whole: self.whole,
        }
    }
}

impl<'a> Pass<'a> {
    /// Base, adapters and head on `batch`, for every run of `adapters`.
    ///
    /// `None` where no label of the batch counts.
    pub fn forward(
        model: &'a Base,
        adapters: &'a Adapters,
        batch: &Batch,
        settings: PassSettings<'a>,
    ) -> Option<Self> {
        let runs = adapters.runs;
        let needed = NeededTokens::new(batch)?;
        let labels = needed.labels(runs, &model.device);
        let ids = needed.ids(runs, &model.device);
        if settings.gradient_checkpointing {
            let (hidden, inputs) =
                KeptInputs::forward(model, adapters, settings, ids, &needed.lengths);
            let hidden = hidden.autodiff().require_grad();
            let (losses, surrogate) = head(model, hidden.clone(), labels, settings);
            let gradient = hidden.grad_remove(&mut surrogate.backward())?;
            let graph = Graph::Checkpointed {
                inputs: Box::new(inputs),
                gradient,
            };
            return Some(Self {
                losses,
                runs,
                whole: settings.whole,
                graph,
            });
        }
        let pass = Self::of_graph(adapters, settings, |context| {
            let context = Context {
                lengths: Some(&needed.lengths),
                ..context
            };
            let hidden = model.forward(ids, context); // [K·N, C]
            head(model, hidden, labels, settings)
        });
        Some(pass)
    }

    /// What `forward` computes with the adapters as leaves of a graph: losses of run 0 first, [K·n], outside autodiff, and
    /// a sum whose gradient in the factors is that of the runs' mean losses.
    pub fn of_graph(
        adapters: &Adapters,
        settings: PassSettings<'a>,
        forward: impl FnOnce(Context<'_>) -> (Tensor<1>, Tensor<1>),
    ) -> Self {
        let adapters = Box::new(adapters.tracked());
        let (losses, surrogate) = forward(Context {
            adapters: Some(&adapters),
            dropout: settings.dropout,
            cache: None,
            lengths: None,
            precision: settings.precision,
        });
        Self {
            losses,
            runs: adapters.runs,
            whole: settings.whole,
            graph: Graph::Kept {
                surrogate,
                adapters,
            },
        }
    }

    /// The losses' share of each run's mean, and its gradients.
    pub fn backward(self) -> StepGradients {
        let [count] = self.losses.dims();
        let losses = self.losses.reshape([self.runs, count / self.runs]);
        StepGradients {
            losses: losses.sum_dim(1).div_scalar(self.whole as f64), // [K, 1]
            whole: self.whole,
            banks: match self.graph {
                Graph::Kept {
                    surrogate,
                    adapters,
                } => gradients_of(adapters.banks(), &mut surrogate.backward()),
                Graph::Checkpointed { inputs, gradient } => inputs.backward(gradient),
            },
        }
    }
}

/// Cross entropy of every counted label, [K·n], and a sum with the gradient of the runs' mean losses in everything below
/// the head: that with respect to the rows is known, so it is the rows' factor.
fn head(
    model: &Base,
    hidden: Tensor<2>,
    labels: CountedLabels,
    settings: PassSettings<'_>,
) -> (Tensor<1>, Tensor<1>) {
    let asked = AskedRows::new(model, hidden, labels);
    let (losses, gradient) = asked.losses_and_gradient(model, settings.precision);
    (
        losses,
        (asked.rows * gradient.div_scalar(settings.whole as f64)).sum(),
    )
}

/// Gradients of some banks.
pub(super) fn gradients_of<'a>(
    banks: impl IntoIterator<Item = &'a Bank>,
    gradients: &mut Gradients,
) -> Vec<Bank> {
    banks
        .into_iter()
        .map(|bank| Bank {
            a: gradient_or_zeros(&bank.a, gradients),
            b: gradient_or_zeros(&bank.b, gradients),
        })
        .collect()
}

/// A factor that no path of the graph reaches has a gradient of zero.
fn gradient_or_zeros(factor: &Tensor<3>, gradients: &mut Gradients) -> Tensor<3> {
    factor
        .grad_remove(gradients)
        .unwrap_or_else(|| factor.clone().inner().zeros_like())
}
