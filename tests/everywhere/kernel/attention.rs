//! Attention against its definition.

use burn::tensor::{Device, Tensor};
use riemann_lora::kernel::{Documents, Mask, Scores, attention};

use super::check_gradient;
use crate::support::{device, draws::normal, values};

/// How far values may be apart. Vulkan asks of a GPU's e^x no more than 3 + 2|x| units in the last place.
const TOLERANCE: f32 = if cfg!(feature = "webgpu") { 1e-4 } else { 1e-5 };

fn assert_close(ours: &[f32], expected: &[f32], what: &str) {
    assert_eq!(ours.len(), expected.len());
    for (index, (ours, expected)) in ours.iter().zip(expected).enumerate() {
        assert!(
            (ours - expected).abs() <= TOLERANCE * expected.abs().max(1.0),
            "{what}, element {index}: {ours}, expected {expected}"
        );
    }
}

/// Sequences, queries, keys, query heads, key heads, and values a head.
#[derive(Debug, Clone, Copy)]
struct Shape {
    sequences: usize,
    tokens: usize,
    keys: usize,
    heads: usize,
    key_heads: usize,
    width: usize,
}

impl Shape {
    const fn new([sequences, tokens, keys, heads, key_heads, width]: [usize; 6]) -> Self {
        Self {
            sequences,
            tokens,
            keys,
            heads,
            key_heads,
            width,
        }
    }

    fn queries(self) -> [usize; 4] {
        [self.sequences, self.tokens, self.heads, self.width]
    }

    fn keys(self) -> [usize; 4] {
        [self.sequences, self.key_heads, self.keys, self.width]
    }
}

fn scores(mask: Mask) -> Scores {
    Scores {
        scale: 0.4,
        softcap: None,
        mask,
    }
}

const CAUSAL: Mask = Mask::Causal { window: None };

/// Fewer queries than a block has, several blocks, blocks and heads that are not whole, one query, keys of before, windows
/// shorter and longer than a block, bounded scores, and documents beside each other that are shorter and longer than a block.
fn cases() -> Vec<(Shape, Scores, &'static [usize])> {
    let window = |window| {
        scores(Mask::Causal {
            window: Some(window),
        })
    };
    let bounded = Scores {
        softcap: Some(1.5),
        ..scores(CAUSAL)
    };
    vec![
        (Shape::new([2, 5, 5, 4, 2, 8]), scores(CAUSAL), &[]),
        (Shape::new([1, 70, 70, 3, 1, 16]), scores(CAUSAL), &[]),
        (Shape::new([2, 9, 14, 2, 2, 6]), scores(CAUSAL), &[]),
        (Shape::new([2, 1, 13, 6, 2, 8]), scores(CAUSAL), &[]),
        (Shape::new([1, 1, 300, 9, 1, 12]), scores(CAUSAL), &[]),
        (Shape::new([1, 1, 1, 2, 1, 8]), scores(CAUSAL), &[]),
        (Shape::new([1, 70, 75, 2, 1, 8]), window(3), &[]),
        (Shape::new([1, 70, 70, 2, 1, 8]), window(41), &[]),
        (Shape::new([1, 1, 40, 2, 1, 8]), window(11), &[]),
        (Shape::new([2, 37, 37, 2, 1, 8]), bounded, &[]),
        (Shape::new([1, 1, 9, 2, 1, 8]), bounded, &[]),
        (Shape::new([2, 40, 11, 2, 2, 10]), scores(Mask::None), &[]),
        (Shape::new([1, 40, 600, 1, 1, 8]), scores(CAUSAL), &[]),
        (
            Shape::new([2, 24, 24, 4, 2, 8]),
            scores(CAUSAL),
            &[7, 1, 13, 3],
        ),
        (
            Shape::new([1, 120, 120, 2, 1, 16]),
            scores(CAUSAL),
            &[40, 75, 5],
        ),
        (Shape::new([1, 100, 100, 2, 1, 8]), window(9), &[33, 50, 17]),
        (Shape::new([2, 60, 60, 3, 3, 6]), bounded, &[11, 49]),
        (
            Shape::new([1, 50, 50, 2, 1, 8]),
            scores(Mask::None),
            &[36, 14],
        ),
    ]
}

/// The number of the document that has this token; all are of one where there are no lengths.
fn document_of(lengths: &[usize], token: usize) -> usize {
    let ends = lengths.iter().scan(0, |end, length| {
        *end += length;
        Some(*end)
    });
    ends.filter(|end| *end <= token).count()
}

fn documents(shape: Shape, lengths: &[usize], device: &Device) -> Documents {
    match lengths {
        [] => Documents::one(shape.tokens, shape.keys, device),
        lengths => Documents::of_lengths(lengths, device),
    }
}

/// Result, and gradients of `Σ result ∘ towards` for queries, keys and values, one number after the other in f64: no
/// operation of a backend takes part.
fn by_definition(
    shape: Shape,
    scores: Scores,
    lengths: &[usize],
    [queries, keys, values]: &[Vec<f32>; 3],
    towards: &[f32],
) -> [Vec<f32>; 4] {
    let Shape {
        tokens,
        heads,
        width,
        ..
    } = shape;
    let mut result = vec![0.0; queries.len()];
    let mut to_queries = vec![0.0; queries.len()];
    let mut to_keys = vec![0.0; keys.len()];
    let mut to_values = vec![0.0; values.len()];
    let product = |left: &[f32], right: &[f32]| -> f64 {
        let pairs = left.iter().zip(right);
        pairs.map(|(&l, &r)| f64::from(l) * f64::from(r)).sum()
    };
    for query in 0..shape.sequences * tokens * heads {
        let (head, token) = (query % heads, query / heads % tokens);
        let of_query = query * width..(query + 1) * width;
        let of_head = query / heads / tokens * shape.key_heads + head * shape.key_heads / heads;
        let seen = (0..shape.keys).filter(|&key| match scores.mask {
            _ if document_of(lengths, key) != document_of(lengths, token) => false,
            Mask::None => true,
            Mask::Causal { window } => {
                let own = token + shape.keys - tokens;
                key <= own && own - key < window.unwrap_or(usize::MAX)
            }
        });
        let of_key = |key: usize| {
            let start = (of_head * shape.keys + key) * width;
            start..start + width
        };
        let places: Vec<_> = seen.map(of_key).collect();
        let bounded: Vec<f64> = places
            .iter()
            .map(|place| {
                let score =
                    scores.scale * product(&queries[of_query.clone()], &keys[place.clone()]);
                scores
                    .softcap
                    .map_or(score, |bound| bound * (score / bound).tanh())
            })
            .collect();
        let largest = bounded.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = bounded.iter().map(|score| (score - largest).exp()).sum();
        let likely = |score: f64| (score - largest).exp() / total;
        let towards = &towards[of_query.clone()];
        let changes: Vec<f64> = places
            .iter()
            .map(|place| product(towards, &values[place.clone()]))
            .collect();
        let mean: f64 = bounded
            .iter()
            .zip(&changes)
            .map(|(&score, change)| likely(score) * change)
            .sum();
        for ((place, &score), change) in places.iter().zip(&bounded).zip(&changes) {
            let likely = likely(score);
            let slope = scores
                .softcap
                .map_or(1.0, |bound| 1.0 - (score / bound).powi(2));
            let change = likely * (change - mean) * slope * scores.scale;
            for (column, of_query) in of_query.clone().enumerate() {
                let of_key = place.start + column;
                result[of_query] += likely * f64::from(values[of_key]);
                to_queries[of_query] += change * f64::from(keys[of_key]);
                to_keys[of_key] += change * f64::from(queries[of_query]);
                to_values[of_key] += likely * f64::from(towards[column]);
            }
        }
    }
    [result, to_queries, to_keys, to_values].map(|x| x.into_iter().map(|x: f64| x as f32).collect())
}

/// What [`attention`] says of the same.
async fn with_gradients(
    documents: &Documents,
    scores: Scores,
    inputs: &[Tensor<4>; 3],
    towards: &Tensor<4>,
) -> [Vec<f32>; 4] {
    let leaves = inputs.clone().map(|x| x.autodiff().require_grad());
    let [queries, keys, values_] = leaves.clone();
    let result = attention(queries, keys, values_, documents, scores);
    let gradients = (result.clone() * towards.clone().autodiff())
        .sum()
        .backward();
    let [queries, keys, values_] = leaves.map(|leaf| leaf.grad(&gradients).expect("a leaf"));
    [
        values(result.inner()).await,
        values(queries).await,
        values(keys).await,
        values(values_).await,
    ]
}

fn draw(shape: Shape, device: &Device) -> [Tensor<4>; 3] {
    [shape.queries(), shape.keys(), shape.keys()].map(|shape| normal(shape, 1.0, device))
}

everywhere! {
    async fn attention_and_its_gradients_are_as_defined() {
        let device = device().await;
        for (shape, scores, lengths) in cases() {
            let inputs = draw(shape, &device);
            let towards = normal(shape.queries(), 1.0, &device);
            let documents = documents(shape, lengths, &device);
            let ours = with_gradients(&documents, scores, &inputs, &towards).await;
            let [queries, keys, values_] = inputs;
            let inputs = [
                values(queries).await,
                values(keys).await,
                values(values_).await,
            ];
            let expected = by_definition(shape, scores, lengths, &inputs, &values(towards).await);
            for (part, (ours, expected)) in ours.iter().zip(&expected).enumerate() {
                assert_close(ours, expected, &format!("{shape:?}, {scores:?}, {lengths:?}, part {part}"));
            }
        }
    }
}

everywhere! {
    async fn attentions_gradients_are_those_of_finite_differences() {
        let device = device().await;
        let shape = Shape::new([2, 35, 37, 4, 2, 6]);
        let bounded = Scores {
            softcap: Some(1.5),
            ..scores(Mask::Causal { window: Some(20) })
        };
        for scores in [scores(CAUSAL), bounded] {
            let [queries, keys, values] = draw(shape, &device);
            let towards = normal(shape.queries(), 1.0, &device);
            let documents = &documents(shape, &[], &device);
            let loss = |result: Tensor<4>| (result * towards.clone()).sum();
            let of_queries =
                |x: Tensor<4>| loss(attention(x, keys.clone(), values.clone(), documents, scores));
            check_gradient(shape.queries(), 0.5, of_queries, &device).await;
            let of_keys =
                |x: Tensor<4>| loss(attention(queries.clone(), x, values.clone(), documents, scores));
            check_gradient(shape.keys(), 0.5, of_keys, &device).await;
            let of_values =
                |x: Tensor<4>| loss(attention(queries.clone(), keys.clone(), x, documents, scores));
            check_gradient(shape.keys(), 0.5, of_values, &device).await;
        }
    }
}

everywhere! {
    async fn attention_reads_keys_where_they_lie() {
        let device = device().await;
        let shape = Shape::new([2, 33, 33, 4, 2, 8]);
        let [queries, keys, values_] = draw(shape, &device);
        let documents = &documents(shape, &[], &device);
        let expected = attention(queries.clone(), keys.clone(), values_.clone(), documents, scores(CAUSAL));
        // Heads beside each other, as a projection leaves them, and as a part of a wider one.
        let wide = |x: Tensor<4>| {
            let tokens_first = x.swap_dims(1, 2).mul_scalar(1.0);
            Tensor::cat(vec![tokens_first.clone(), tokens_first], 3)
                .narrow(3, shape.width, shape.width)
                .swap_dims(1, 2)
        };
        let ours = attention(queries, wide(keys), wide(values_), documents, scores(CAUSAL));
        assert_close(&values(ours).await, &values(expected).await, "keys that lie apart");
    }
}

#[cfg(not(feature = "webgpu"))]
everywhere! {
    async fn a_query_alone_gets_what_it_gets_among_others() {
        let device = device().await;
        let shape = Shape::new([1, 50, 50, 6, 2, 8]);
        let [queries, keys, values_] = draw(shape, &device);
        let whole = documents(shape, &[], &device);
        let all = attention(queries.clone(), keys.clone(), values_.clone(), &whole, scores(CAUSAL));
        for token in [0, 1, 31, 32, 49] {
            let alone = attention(
                queries.clone().narrow(1, token, 1),
                keys.clone().narrow(2, 0, token + 1),
                values_.clone().narrow(2, 0, token + 1),
                &Documents::one(1, token + 1, &device),
                scores(CAUSAL),
            );
            let among = all.clone().narrow(1, token, 1);
            assert_eq!(values(alone).await, values(among).await, "token {token}");
        }
    }
}
