//! Keys and values of the tokens seen so far.

use burn::tensor::Tensor;

/// One layer's keys and values, [S, Hkv, P, D] each.
#[derive(Debug, Clone, Default)]
pub struct LayerCache {
    kept: Option<(Tensor<4>, Tensor<4>)>,
}

impl LayerCache {
    /// Adds the keys and values of new tokens and returns all of them.
    ///
    /// # Shapes
    /// - `keys`, `values`: [S, Hkv, T, D]
    /// - result: [S, Hkv, P+T, D]
    pub fn append(&mut self, keys: Tensor<4>, values: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let all = match self.kept.take() {
            None => (keys, values),
            Some((old_keys, old_values)) => (
                Tensor::cat(vec![old_keys, keys], 2),
                Tensor::cat(vec![old_values, values], 2),
            ),
        };
        self.kept = Some(all.clone());
        all
    }
}

/// The cache of a whole model.
#[derive(Debug, Clone)]
pub struct Cache {
    /// One entry a layer.
    pub layers: Vec<LayerCache>,
    /// Tokens seen.
    pub tokens: usize,
}

impl Cache {
    /// An empty cache for `layers` layers.
    pub fn new(layers: usize) -> Self {
        Self {
            layers: vec![LayerCache::default(); layers],
            tokens: 0,
        }
    }
}
