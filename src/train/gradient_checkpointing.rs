//! Forward and backward of the blocks with little memory: kept is what enters each block, and what lies within it is
//! computed a second time when the backward pass comes to it (Chen et al., arXiv 1604.06174). That costs one more forward
//! pass, and gives the same gradients.

use burn::tensor::{Int, Tensor};

use super::gradients::{PassSettings, gradients_of};
use crate::model::{Adapters, Bank, Base, Context, Passage};

/// A forward pass through all blocks, of which only what entered them is kept.
#[derive(Debug)]
pub struct KeptInputs<'a> {
    model: &'a Base,
    adapters: &'a Adapters,
    settings: PassSettings<'a>,
    passage: Passage,
    /// What entered each block, [K·N, C].
    inputs: Vec<Tensor<2>>,
}

impl<'a> KeptInputs<'a> {
    /// The residual stream after the last block, [K·N, C], outside autodiff, and what its backward needs.
    ///
    /// # Shapes
    /// - `ids`: [K, N], of documents of these `lengths`
    pub fn forward(
        model: &'a Base,
        adapters: &'a Adapters,
        settings: PassSettings<'a>,
        ids: Tensor<2, Int>,
        lengths: &[usize],
    ) -> (Tensor<2>, Self) {
        let (mut x, passage) = model.enter(ids, 0, Some(lengths));
        let mut kept = Self {
            model,
            adapters,
            settings,
            passage,
            inputs: Vec::with_capacity(model.config.num_hidden_layers),
        };
        for layer in 0..model.config.num_hidden_layers {
            kept.inputs.push(x.clone());
            x = kept.block(layer, x, adapters);
        }
        (x, kept)
    }

    /// Gradients of all banks, in the order of [`Adapters::banks`].
    ///
    /// # Shapes
    /// - `gradient`: [K·N, C] with respect to what [`KeptInputs::forward`] gave
    pub fn backward(mut self, mut gradient: Tensor<2>) -> Vec<Bank> {
        let mut blocks = Vec::with_capacity(self.inputs.len());
        while let Some(mut x) = self.inputs.pop() {
            let layer = self.inputs.len();
            // Below the first block nothing is trained.
            if layer > 0 {
                x = x.autodiff().require_grad();
            }
            let mut adapters = self.adapters.clone();
            for bank in &mut adapters.blocks[layer] {
                bank.a = bank.a.clone().autodiff().require_grad();
                bank.b = bank.b.clone().autodiff().require_grad();
            }
            let output = self.block(layer, x.clone(), &adapters);
            // The gradient of this sum in everything within the block is the step's.
            let mut gradients = (output * gradient.clone()).sum().backward();
            blocks.push(gradients_of(&adapters.blocks[layer], &mut gradients));
            if let Some(next) = x.grad_remove(&mut gradients) {
                gradient = next;
            }
        }
        blocks.into_iter().rev().flatten().collect()
    }

    fn block(&self, layer: usize, x: Tensor<2>, adapters: &Adapters) -> Tensor<2> {
        let mut context = Context {
            adapters: Some(adapters),
            dropout: self.settings.dropout,
            cache: None,
            lengths: None,
            precision: self.settings.precision,
        };
        self.model.block(layer, x, &self.passage, &mut context)
    }
}
