//! Causal attention with grouped key-value heads.

use burn::tensor::Tensor;

use crate::kernel::{Causal, Form, causal_softmax, product};

/// softmax(Q·Kᵀ / √D) · V, where the G query heads of a key head are rows of one product, so that
/// keys and values are never repeated.
///
/// A query sees the keys that `causal` says, or all.
///
/// # Shapes
/// - `queries`: [S, T, H, D]
/// - `keys`, `values`: [S, Hkv, P+T, D]
/// - result: [S, T, H·D]
pub fn attend(
    queries: Tensor<4>,
    keys: Tensor<4>,
    values: Tensor<4>,
    causal: Option<Causal>,
) -> Tensor<3> {
    let scores = Scores {
        scale: 1.0 / (queries.dims()[3] as f64).sqrt(),
        softcap: None,
    };
    attend_scored(queries, keys, values, causal, scores)
}

/// What becomes of a product of query and key before softmax.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// It is multiplied by this.
    pub scale: f64,
    /// Then s becomes c · tanh(s / c).
    pub softcap: Option<f64>,
}

/// As [`attend`], with scores of another scale, or bounded ones.
pub fn attend_scored(
    queries: Tensor<4>,
    keys: Tensor<4>,
    values: Tensor<4>,
    causal: Option<Causal>,
    Scores { scale, softcap }: Scores,
) -> Tensor<3> {
    let [sequences, tokens, heads, width] = queries.dims();
    let key_heads = keys.dims()[1];
    let group = heads / key_heads;

    let queries = queries
        .mul_scalar(scale)
        .reshape([sequences, tokens, key_heads, group, width])
        .permute([0, 2, 3, 1, 4]) // [S, Hkv, G, T, D]
        .reshape([sequences, key_heads, group * tokens, width]);
    let scores = product(queries, keys, Form::RightTransposed); // [S, Hkv, G·T, P+T]
    let scores = match softcap {
        Some(bound) => scores.div_scalar(bound).tanh().mul_scalar(bound),
        None => scores,
    };
    // Where none is hidden, each row is that of the last of all tokens, which sees every one.
    let last = Causal {
        past: scores.dims()[3] - 1,
        tokens: 1,
        window: None,
    };
    let likely = causal_softmax(scores, causal.unwrap_or(last)); // [S, Hkv, G·T, P+T]
    product(likely, values, Form::Plain) // [S, Hkv, G·T, D]
        .reshape([sequences, key_heads, group, tokens, width])
        .permute([0, 3, 1, 2, 4]) // [S, T, Hkv, G, D]
        .reshape([sequences, tokens, heads * width])
}
