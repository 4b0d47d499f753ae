//! What accompanies the tokens of a forward pass.

use burn::tensor::Tensor;

use super::{
    Adapters, Cache, Dropout, FrozenWeight, Target,
    lora::{AdapterInput, linear},
};
use crate::kernel::ProductPrecision;

/// What accompanies the tokens of one forward pass.
#[derive(Debug, Default)]
pub struct Context<'a> {
    /// Adapters of K runs; the base alone where there are none.
    pub adapters: Option<&'a Adapters>,
    /// Dropout on the adapters' inputs, while training.
    pub dropout: Option<&'a Dropout>,
    /// Keys and values of earlier tokens; they are added to.
    pub cache: Option<&'a mut Cache>,
    /// Tokens of each of the documents that every sequence is made of; each sequence is one where there are none. Without a
    /// cache.
    pub lengths: Option<&'a [usize]>,
    /// In which numbers weights of the base are multiplied; gradients are in single precision whatever it is.
    pub precision: ProductPrecision,
}

impl<'a> Context<'a> {
    /// Tokens of each sequence that came before these.
    pub(super) fn past(&self) -> usize {
        self.cache.as_ref().map_or(0, |cache| cache.tokens)
    }

    /// All keys and values of block `layer`: those cached, and these.
    ///
    /// # Shapes
    /// - `keys`, `values`: [S, Hkv, T, D]
    /// - result: [S, Hkv, P+T, D]
    pub(super) fn remember(
        &mut self,
        layer: usize,
        keys: Tensor<4>,
        values: Tensor<4>,
    ) -> (Tensor<4>, Tensor<4>) {
        match &mut self.cache {
            Some(cache) => cache.layers[layer].append(keys, values),
            None => (keys, values),
        }
    }

    /// The adapters of block `layer`.
    pub(crate) fn block(&self, layer: usize) -> BlockAdapters<'a> {
        BlockAdapters {
            adapters: self.adapters,
            dropout: self.dropout,
            precision: self.precision,
            layer,
        }
    }
}

/// The adapters of one block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockAdapters<'a> {
    adapters: Option<&'a Adapters>,
    dropout: Option<&'a Dropout>,
    precision: ProductPrecision,
    layer: usize,
}

impl<'a> BlockAdapters<'a> {
    /// A linear layer with the adapter on `target`, where there is one.
    ///
    /// # Shapes
    /// - `x`: [K·N, in]
    /// - result: [K·N, out]
    pub fn linear(&self, x: Tensor<2>, weight: &FrozenWeight, target: Option<Target>) -> Tensor<2> {
        let adapter = target.and_then(|target| self.on(target, &x));
        linear(x, weight, adapter, self.precision)
    }

    /// What the adapter on `target` needs for the input `x`, [K·N, in]; `None` where there is none.
    pub fn on(&self, target: Target, x: &Tensor<2>) -> Option<AdapterInput<'a>> {
        let adapters = self.adapters?;
        Some(AdapterInput {
            dropout: self
                .dropout
                .map(|dropout| dropout.mask(self.layer, target, x, adapters.runs)),
            ..adapters.input(self.layer, target)?
        })
    }
}
