//! Causal attention with grouped key-value heads, as one operation that keeps no scores.
//!
//! Taken apart, every layer keeps the probabilities of all pairs of tokens, [H, T, P+T], for its backward pass; here they
//! are made again from queries and keys, a few queries at a time (Dao et al. 2022, arXiv 2205.14135), and keys that no query
//! of a block sees are not multiplied at all.

use burn::backend::{
    Autodiff, AutodiffBackend, Backend, Dispatch,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    backend_extension,
    tensor::{FloatTensor, IntTensor},
};
use burn::tensor::Tensor;
#[cfg(feature = "webgpu")]
use burn::{backend::fusion::custom::TensorSpec, tensor::Shape};

use super::Documents;

/// Which keys of its document a query sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// All.
    None,
    /// Those up to its own. Queries are the last tokens of the keys.
    Causal {
        /// Of these the last ones, this many at most.
        window: Option<usize>,
    },
}

impl Mask {
    /// The keys that the query at `position` among `keys` keys sees; one at least.
    #[cfg(not(feature = "webgpu"))]
    pub(super) fn seen(self, position: usize, keys: usize) -> std::ops::Range<usize> {
        match self {
            Self::None => 0..keys,
            Self::Causal { window: None } => 0..position + 1,
            Self::Causal {
                window: Some(window),
            } => (position + 1).saturating_sub(window)..position + 1,
        }
    }
}

/// What becomes of a product of query and key before softmax.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// It is multiplied by this.
    pub scale: f64,
    /// Then s becomes c · tanh(s / c), as in Gemma 2 (arXiv 2408.00118, section 2).
    pub softcap: Option<f64>,
    /// Then it is left out where its key is not seen.
    pub mask: Mask,
}

impl Scores {
    /// Products divided by √`width`, the scale of Vaswani et al. 2017 for heads of that width.
    pub fn scaled_by_width(width: usize, mask: Mask) -> Self {
        Self {
            scale: 1.0 / (width as f64).sqrt(),
            softcap: None,
            mask,
        }
    }
}

/// softmax(Q · Kᵀ) · V of each head, with scores as `scores` says, within each of the `documents` that all sequences are made
/// of. G = H / Hkv query heads share a key head.
///
/// # Shapes
/// - `queries`: [S, T, H, D]
/// - `keys`, `values`: [S, Hkv, P+T, D]
/// - result: [S, T, H, D]
pub fn attention(
    queries: Tensor<4>,
    keys: Tensor<4>,
    values: Tensor<4>,
    documents: &Documents,
    scores: Scores,
) -> Tensor<4> {
    let (result, _) = <Dispatch as Attention>::attention(
        queries.into_dispatch(),
        keys.into_dispatch(),
        values.into_dispatch(),
        documents.bounds.clone().into_dispatch(),
        scores,
    );
    Tensor::from_dispatch(result)
}

/// What a backend must be able to do.
#[backend_extension(
    Flex: cfg(not(feature = "webgpu")),
    Cube: cfg(feature = "webgpu"),
    Fusion: cfg(feature = "webgpu"),
    Autodiff
)]
pub(super) trait Attention: Backend {
    /// As [`attention`](fn@attention), and what the way back asks of each query and head: ln Σ exp(score), [S, H, T]; on
    /// WebGPU with the bounds of its document, [S, H, T, 3], because a kernel has no more than eight buffers.
    #[fusion(meta = described)]
    fn attention(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        documents: IntTensor<Self>,
        scores: Scores,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

/// With P the probabilities, g the result's gradient and ∂P = g · Vᵀ: ∂V = Pᵀ · g, and with
/// ∂S = P ∘ (∂P − Σ P ∘ ∂P) ∘ (1 − (s / c)²) · scale, ∂Q = ∂S · K and ∂K = ∂Sᵀ · Q.
#[backend_extension(
    Flex: cfg(not(feature = "webgpu")),
    Cube: cfg(feature = "webgpu"),
    Fusion: cfg(feature = "webgpu")
)]
pub(super) trait AttentionGradients: Attention {
    /// ∂Q, ∂K and ∂V, with the `totals` that [`Attention`] made.
    #[fusion(meta = |_gradient, queries, keys, values, _totals, _documents, _scores| (queries.clone(), keys.clone(), values.clone()))]
    fn attention_gradients(
        gradient: FloatTensor<Self>,
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        totals: FloatTensor<Self>,
        documents: IntTensor<Self>,
        scores: Scores,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// What comes of queries.
#[cfg(feature = "webgpu")]
fn described(
    queries: &TensorSpec,
    _keys: &TensorSpec,
    _values: &TensorSpec,
    _documents: &TensorSpec,
    _scores: &Scores,
) -> (TensorSpec, TensorSpec) {
    let [sequences, tokens, heads] = [0, 1, 2].map(|axis| queries.shape[axis]);
    let totals = Shape::new([sequences, heads, tokens, 3]);
    (queries.clone(), TensorSpec::new(totals, queries.dtype))
}

impl<B: AttentionGradients, C: CheckpointStrategy> Attention for Autodiff<B, C> {
    fn attention(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        documents: IntTensor<Self>,
        scores: Scores,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let nodes = [queries.node(), keys.node(), values.node()];
        let (queries, keys, values) = (
            queries.into_primitive(),
            keys.into_primitive(),
            values.into_primitive(),
        );
        let (result, totals) = <B as Attention>::attention(
            queries.clone(),
            keys.clone(),
            values.clone(),
            documents.clone(),
            scores,
        );
        let outside = <Self as AutodiffBackend>::from_inner(totals.clone());
        let result = match Step.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => {
                step.finish((queries, keys, values, totals, documents, scores), result)
            }
            OpsKind::UnTracked(step) => step.finish(result),
        };
        (result, outside)
    }
}

#[derive(Debug)]
struct Step;

impl<B: AttentionGradients> Backward<B, 3> for Step {
    type State = (
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        IntTensor<B>,
        Scores,
    );

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (queries, keys, values, totals, documents, scores) = ops.state;
        let (to_queries, to_keys, to_values) =
            B::attention_gradients(gradient, queries, keys, values, totals, documents, scores);
        let results = [to_queries, to_keys, to_values];
        for (parent, result) in ops.parents.into_iter().zip(results) {
            if let Some(parent) = parent {
                gradients.register::<B>(parent.id, result);
            }
        }
    }
}
