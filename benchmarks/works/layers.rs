//! A row of linear layers with adapters, channels → inner → channels each, with a residual stream and nothing else
//! between them: x ← x + down(up(x)). The loss is the mean of squares.

use burn::tensor::{Device, Tensor};
use riemann_lora::kernel::ProductPrecision;
use riemann_lora::model::{Bank, FrozenWeight, Target, lora::linear};
use serde::Deserialize;

use super::size::Sizes;
use super::trainer::{Trainer, frozen, input};

/// Its shape.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Shape {
    /// Pairs of linear layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub channels: usize,
    /// Width between the two layers of a pair.
    pub inner: usize,
    /// Rows.
    pub tokens: usize,
}

/// The layers that carry adapters: all.
pub const TARGETS: [Target; 2] = [Target::UpProj, Target::DownProj];

/// The work.
pub struct Layers {
    weights: Vec<[FrozenWeight; 2]>,
    input: Tensor<2>,
    trainer: Trainer,
}

impl Layers {
    /// Weights and adapters of `shape`.
    pub fn new(sizes: &Sizes, shape: Shape, device: &Device) -> Self {
        let Shape {
            channels, inner, ..
        } = shape;
        let weight = |layer, target, shape| frozen(layer, target as usize, shape, device);
        Self {
            weights: (0..shape.layers)
                .map(|layer| {
                    [
                        weight(layer, Target::UpProj, [inner, channels]),
                        weight(layer, Target::DownProj, [channels, inner]),
                    ]
                })
                .collect(),
            input: input(shape.tokens, channels, device),
            trainer: Trainer::new(
                sizes,
                shape.layers,
                &TARGETS,
                |target| match target {
                    Target::UpProj => (channels, inner),
                    _ => (inner, channels),
                },
                device,
            ),
        }
    }

    /// One step; its loss.
    pub async fn step(&mut self) -> f64 {
        let (gradients, loss) = self.gradients(0, 1);
        self.trainer.update(gradients, loss).await
    }

    /// What some of the rows add to a step, shard `shard` of `shards`: its loss, then all gradients.
    pub async fn shard(&mut self, shard: usize, shards: usize) -> Vec<f32> {
        let (gradients, loss) = self.gradients(shard, shards);
        Trainer::values(gradients, loss).await
    }

    /// The step from all its shards; its loss.
    pub async fn step_with_shards(&mut self, shards: &[Vec<f32>]) -> f64 {
        let (gradients, loss) = self.trainer.summed(shards);
        self.trainer.update(gradients, loss).await
    }

    fn gradients(&self, shard: usize, shards: usize) -> (Vec<Bank>, Tensor<1>) {
        let adapters = self.trainer.adapters.tracked();
        let [rows, channels] = self.input.dims();
        let own = rows * shard / shards..rows * (shard + 1) / shards;
        let mut x = self.input.clone().slice([own, 0..channels]);
        for (layer, [up, down]) in self.weights.iter().enumerate() {
            let on = |target| adapters.input(layer, target);
            let inner = linear(x.clone(), up, on(Target::UpProj), ProductPrecision::Single);
            x = x + linear(inner, down, on(Target::DownProj), ProductPrecision::Single);
        }
        let loss = (x.clone() * x).sum().div_scalar((rows * channels) as f64);
        (Trainer::gradients(&adapters, &loss), loss.inner())
    }
}
