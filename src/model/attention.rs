//! Causal attention with grouped key-value heads.

use burn::tensor::{Device, Tensor};

/// Which keys a query must not see.
#[derive(Debug, Clone)]
pub struct CausalMask {
    #[cfg(not(feature = "webgpu"))]
    causal: crate::kernel::Causal,
    #[cfg(feature = "webgpu")]
    hidden: Option<Tensor<4, burn::tensor::Bool>>, // [1, 1, G·T, P+T]
}

impl CausalMask {
    /// For `tokens` queries after `past` cached positions, with `group` query heads a key head.
    #[cfg(not(feature = "webgpu"))]
    pub fn new(past: usize, tokens: usize, _group: usize, _device: &Device) -> Self {
        Self {
            causal: crate::kernel::Causal { past, tokens },
        }
    }

    /// For `tokens` queries after `past` cached positions, with `group` query heads a key head.
    #[cfg(feature = "webgpu")]
    pub fn new(past: usize, tokens: usize, group: usize, device: &Device) -> Self {
        // A single query sees everything.
        let hidden = (tokens > 1).then(|| {
            let keys = past + tokens;
            let hidden: Vec<bool> = (0..group * tokens)
                .flat_map(|row| (0..keys).map(move |key| key > past + row % tokens))
                .collect();
            let shape = [1, 1, group * tokens, keys];
            Tensor::from_data(burn::tensor::TensorData::new(hidden, shape), device)
        });
        Self { hidden }
    }

    /// Softmax of each query's scores over the keys that it sees.
    ///
    /// # Shapes
    /// - `scores`: [S, Hkv, G·T, P+T], result the same
    #[cfg(not(feature = "webgpu"))]
    fn softmax(&self, scores: Tensor<4>) -> Tensor<4> {
        crate::kernel::causal_softmax(scores, self.causal)
    }

    /// Softmax of each query's scores over the keys that it sees.
    ///
    /// # Shapes
    /// - `scores`: [S, Hkv, G·T, P+T], result the same
    #[cfg(feature = "webgpu")]
    fn softmax(&self, scores: Tensor<4>) -> Tensor<4> {
        // Low enough that its exponential is 0, far enough from f16's end to stay finite there.
        const HIDDEN: f32 = -3e4;
        let scores = match &self.hidden {
            Some(hidden) => {
                let hidden = hidden.clone().expand(scores.dims());
                scores.mask_fill(hidden, HIDDEN)
            }
            None => scores,
        };
        softmax(scores)
    }
}

/// Softmax of scores of which none is hidden.
#[cfg(not(feature = "webgpu"))]
fn softmax(scores: Tensor<4>) -> Tensor<4> {
    // Each row is that of the last of all tokens, which sees every one.
    let causal = crate::kernel::Causal {
        past: scores.dims()[3] - 1,
        tokens: 1,
    };
    crate::kernel::causal_softmax(scores, causal)
}

/// Softmax of scores of which none is hidden.
#[cfg(feature = "webgpu")]
fn softmax(scores: Tensor<4>) -> Tensor<4> {
    burn::tensor::activation::softmax(scores, 3)
}

/// softmax(Q·Kᵀ / √D) · V, where the G query heads of a key head are rows of one product, so that
/// keys and values are never repeated.
///
/// # Shapes
/// - `queries`: [S, T, H, D]
/// - `keys`, `values`: [S, Hkv, P+T, D]
/// - result: [S, T, H·D]
pub fn attend(
    queries: Tensor<4>,
    keys: Tensor<4>,
    values: Tensor<4>,
    mask: Option<&CausalMask>,
) -> Tensor<3> {
    let [sequences, tokens, heads, width] = queries.dims();
    let key_heads = keys.dims()[1];
    let group = heads / key_heads;

    let queries = queries
        .mul_scalar(1.0 / (width as f64).sqrt())
        .reshape([sequences, tokens, key_heads, group, width])
        .permute([0, 2, 3, 1, 4]) // [S, Hkv, G, T, D]
        .reshape([sequences, key_heads, group * tokens, width]);
    let scores = queries.matmul(keys.swap_dims(2, 3)); // [S, Hkv, G·T, P+T]
    let likely = match mask {
        Some(mask) => mask.softmax(scores),
        None => softmax(scores),
    }; // [S, Hkv, G·T, P+T]
    likely
        .matmul(values) // [S, Hkv, G·T, D]
        .reshape([sequences, key_heads, group, tokens, width])
        .permute([0, 3, 1, 2, 4]) // [S, T, Hkv, G, D]
        .reshape([sequences, tokens, heads * width])
}
