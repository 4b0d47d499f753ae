//! AdamW alone, on the adapters of a whole model and gradients that are the same in every step.

use burn::tensor::{Device, Tensor};
use riemann_lora::model::{Bank, Target};
use serde::Deserialize;

use super::layers::TARGETS;
use super::numbers::Kind;
use super::size::Sizes;
use super::trainer::{Trainer, factor};

/// Its shape.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Shape {
    /// Pairs of adapted layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub channels: usize,
    /// Width between the two layers of a pair.
    pub inner: usize,
}

/// The work.
pub struct OptimizerStep {
    gradients: Vec<Bank>,
    trainer: Trainer,
    none: Tensor<1>,
}

impl OptimizerStep {
    /// Adapters and gradients of `shape`.
    pub fn new(sizes: &Sizes, shape: Shape, device: &Device) -> Self {
        let Shape {
            channels, inner, ..
        } = shape;
        let shape_of = |target| match target {
            Target::UpProj => (channels, inner),
            _ => (inner, channels),
        };
        let gradient = |layer: usize, target: Target| {
            let (inputs, outputs) = shape_of(target);
            let place = target as usize;
            Bank {
                a: factor(Kind::GradientA, layer, place, [sizes.rank, inputs], device),
                b: factor(Kind::GradientB, layer, place, [outputs, sizes.rank], device),
            }
        };
        Self {
            gradients: (0..shape.layers)
                .flat_map(|layer| TARGETS.map(|target| gradient(layer, target)))
                .collect(),
            trainer: Trainer::new(sizes, shape.layers, &TARGETS, shape_of, device),
            none: Tensor::zeros([1], device),
        }
    }

    /// One step.
    pub async fn step(&mut self) -> f64 {
        let gradients = self.gradients.clone();
        self.trainer.update(gradients, self.none.clone()).await
    }

    /// The mean of squares of the last bank's `lora_b`, for the comparison with others.
    pub async fn check(&self) -> f64 {
        let bank = self
            .trainer
            .adapters
            .banks()
            .last()
            .expect("there are adapters");
        let mean = (bank.b.clone() * bank.b.clone()).mean();
        let mean = mean.into_data_async().await.expect("a device that works");
        f64::from(mean.iter::<f32>().next().expect("a mean is a number"))
    }
}
