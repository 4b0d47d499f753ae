//! Any of the works, by its name.

use burn::tensor::Device;

use super::{
    block::Block, head::Head, layers::Layers, optimizer::OptimizerStep, size::Sizes,
    whole_head::WholeHead,
};

/// A work with its weights.
#[allow(clippy::large_enum_variant, reason = "there is one of them a worker")]
pub enum Work {
    /// Linear layers with adapters.
    Layers(Layers),
    /// One block of a Llama.
    Block(Block),
    /// Output head and cross entropy.
    Head(Head),
    /// The same from all logits at once.
    WholeHead(WholeHead),
    /// AdamW alone.
    Optimizer(OptimizerStep),
}

impl Work {
    /// The work `name` at `size`; `None` where `sizes.json` has none of the name.
    pub fn new(name: &str, size: &str, device: &Device) -> Option<Self> {
        let sizes = Sizes::read();
        Some(match name {
            "layers" => Self::Layers(Layers::new(&sizes, sizes.shape(name, size)?, device)),
            "block" => Self::Block(Block::new(&sizes, sizes.shape(name, size)?, device)),
            "head" => Self::Head(Head::new(&sizes, sizes.shape(name, size)?, device)),
            "whole-head" => {
                Self::WholeHead(WholeHead::new(&sizes, sizes.shape("head", size)?, device))
            }
            "optimizer" => {
                Self::Optimizer(OptimizerStep::new(&sizes, sizes.shape(name, size)?, device))
            }
            _ => return None,
        })
    }

    /// One training step; its loss where the work has one.
    pub async fn step(&mut self) -> f64 {
        match self {
            Self::Layers(work) => work.step().await,
            Self::Block(work) => work.step().await,
            Self::Head(work) => work.step().await,
            Self::WholeHead(work) => work.step().await,
            Self::Optimizer(work) => work.step().await,
        }
    }

    /// What some of the rows add to a step; `None` where the work has no rows to share.
    pub async fn shard(&mut self, shard: usize, shards: usize) -> Option<Vec<f32>> {
        match self {
            Self::Layers(work) => Some(work.shard(shard, shards).await),
            _ => None,
        }
    }

    /// The step from all its shards; its loss, or `None` as before.
    pub async fn step_with_shards(&mut self, shards: &[Vec<f32>]) -> Option<f64> {
        match self {
            Self::Layers(work) => Some(work.step_with_shards(shards).await),
            _ => None,
        }
    }

    /// What engines are compared by: the loss that the last step had, or what it left.
    pub async fn check(&self, loss: f64) -> f64 {
        match self {
            Self::Optimizer(work) => work.check().await,
            _ => loss,
        }
    }
}
