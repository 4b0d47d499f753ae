//! Causal attention with grouped key-value heads.

use burn::tensor::{Bool, Device, Tensor, TensorData, activation::softmax};

/// Which keys a query must not see.
#[derive(Debug, Clone)]
pub struct CausalMask {
    hidden: Tensor<4, Bool>, // [1, 1, G·T, P+T]
}

impl CausalMask {
    /// For `tokens` queries after `past` cached positions, with `group` query heads a key head.
    ///
    /// `None` for a single query: it sees everything.
    pub fn new(past: usize, tokens: usize, group: usize, device: &Device) -> Option<Self> {
        if tokens == 1 {
            return None;
        }
        let keys = past + tokens;
        let hidden: Vec<bool> = (0..group * tokens)
            .flat_map(|row| (0..keys).map(move |key| key > past + row % tokens))
            .collect();
        let shape = [1, 1, group * tokens, keys];
        Some(Self {
            hidden: Tensor::from_data(TensorData::new(hidden, shape), device),
        })
    }
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
    // Low enough that its exponential is 0, far enough from f16's end to stay finite there.
    const HIDDEN: f32 = -3e4;
    let [sequences, tokens, heads, width] = queries.dims();
    let key_heads = keys.dims()[1];
    let group = heads / key_heads;

    let queries = queries
        .mul_scalar(1.0 / (width as f64).sqrt())
        .reshape([sequences, tokens, key_heads, group, width])
        .permute([0, 2, 3, 1, 4]) // [S, Hkv, G, T, D]
        .reshape([sequences, key_heads, group * tokens, width]);
    let mut scores = queries.matmul(keys.swap_dims(2, 3)); // [S, Hkv, G·T, P+T]
    if let Some(mask) = mask {
        let hidden = mask.hidden.clone().expand(scores.dims());
        scores = scores.mask_fill(hidden, HIDDEN);
    }
    softmax(scores, 3)
        .matmul(values) // [S, Hkv, G·T, D]
        .reshape([sequences, key_heads, group, tokens, width])
        .permute([0, 3, 1, 2, 4]) // [S, T, Hkv, G, D]
        .reshape([sequences, tokens, heads * width])
}
