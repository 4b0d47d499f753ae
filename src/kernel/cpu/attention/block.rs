//! The probabilities of a few queries of a head.

use super::{
    heads::{Head, Place},
    panels::Panels,
};
use crate::kernel::{
    attention::{Mask, Scores},
    exponential::exp,
    strip::Rows,
    sums::{dot, largest, sum},
    tile::COLUMNS,
    transpose::transpose_rows,
};

/// Queries of a block: as many as make the products with keys worth reading these, and few enough that the block stays in
/// the second cache.
pub const QUERIES: usize = 32;

/// Keys that are summed over at once, so that eight columns of them stay in the first cache.
const DEPTH: usize = 256;

/// Sums beside each other.
const LANES: usize = 16;

/// Queries that share keys, and the keys that one of them sees at least.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Where the first query stands among the keys.
    position: usize,
    /// From a query's position to the next one's.
    step: usize,
    /// Queries.
    pub queries: usize,
    /// The first key, a multiple of `COLUMNS`.
    pub key: usize,
    /// Behind the last key.
    pub end: usize,
}

impl Span {
    /// The queries of one head from `query` on, of `tokens`, which are the last of `keys`.
    pub fn new(query: usize, tokens: usize, keys: usize, scores: Scores) -> Self {
        let queries = QUERIES.min(tokens - query);
        let position = match scores.mask {
            Mask::None => 0,
            Mask::Causal { .. } => keys - tokens + query,
        };
        Self {
            position,
            step: 1,
            queries,
            key: scores.mask.seen(position, keys).start / COLUMNS * COLUMNS,
            end: scores.mask.seen(position + queries - 1, keys).end,
        }
    }

    /// The queries of `heads` heads at the last of `keys`.
    pub fn at_one_token(heads: usize, keys: usize, scores: Scores) -> Self {
        Self {
            step: 0,
            queries: heads,
            ..Self::new(0, 1, keys, scores)
        }
    }

    /// Keys.
    pub fn keys(self) -> usize {
        self.end - self.key
    }

    /// From a query's row of probabilities to the next.
    pub fn pitch(self) -> usize {
        self.keys().next_multiple_of(COLUMNS)
    }
}

/// [queries, keys] of a span.
#[derive(Debug, Default)]
pub struct Block {
    values: Vec<f32>,
    pitch: usize,
    queries: usize,
    keys: usize,
}

impl Block {
    fn clear(&mut self, span: Span) {
        self.pitch = span.pitch();
        self.queries = span.queries;
        self.keys = span.keys();
        self.values.clear();
        // Whole tiles are transposed later.
        self.values
            .resize(span.queries.next_multiple_of(COLUMNS) * self.pitch, 0.0);
    }

    /// The products of rows and the rows of a head.
    pub fn multiply(&mut self, rows: Rows<'_>, panels: &Panels, span: Span) {
        self.clear(span);
        panels.multiply_add(rows, span.key, span.end, &mut self.values, self.pitch);
    }

    /// The same products where queries are so few that their panels are made sooner than those of the keys.
    pub fn multiply_few(
        &mut self,
        queries: &Panels,
        keys: Head<'_>,
        span: Span,
        turned: &mut Vec<f32>,
    ) {
        self.clear(span);
        let wide = span.queries.next_multiple_of(COLUMNS);
        turned.clear();
        turned.resize(self.pitch * wide, 0.0);
        let rows = keys.rows(span.key, span.keys());
        queries.multiply_add(rows, 0, span.queries, turned, wide);
        for key in (0..self.pitch).step_by(COLUMNS) {
            let rows = &turned[key * wide..];
            transpose_rows(rows, wide, wide, &mut self.values[key..], self.pitch);
        }
    }

    /// Of products of queries and keys: softmax of the scores over the keys that each query sees, 0 for the others. `totals`
    /// takes a query's ln Σ exp(score).
    pub fn softmax(&mut self, span: Span, scores: Scores, totals: &mut [f32]) {
        self.each_query(span, scores, None, |query, values| {
            totals[query] = softmax(values);
        });
    }

    /// The same probabilities once more, by their `totals`. `slopes` takes the derivatives of the bound, where there is one.
    pub fn softmax_again(
        &mut self,
        span: Span,
        scores: Scores,
        totals: &[f32],
        slopes: &mut Block,
    ) {
        if scores.softcap.is_some() {
            slopes.clear(span);
        }
        self.each_query(span, scores, Some(slopes), |query, values| {
            for value in values {
                *value = exp(*value - totals[query]);
            }
        });
    }

    /// Makes scores of products, and calls `make` with those of each query that are of keys it sees.
    fn each_query(
        &mut self,
        span: Span,
        scores: Scores,
        mut slopes: Option<&mut Block>,
        mut make: impl FnMut(usize, &mut [f32]),
    ) {
        let rows = self.values.chunks_exact_mut(self.pitch);
        for (query, values) in rows.take(span.queries).enumerate() {
            let position = span.position + query * span.step;
            let seen = scores.mask.seen(position, span.end);
            let first = seen.start - span.key;
            let (hidden, rest) = values.split_at_mut(first);
            let (values, later) = rest.split_at_mut(seen.len());
            hidden.fill(0.0);
            later.fill(0.0);
            for value in values.iter_mut() {
                *value *= scores.scale as f32;
            }
            if let Some(bound) = scores.softcap {
                bound_scores(values, bound as f32);
                if let Some(slopes) = &mut slopes {
                    let slopes = &mut slopes.values[query * self.pitch + first..];
                    slopes_of_bound(values, bound as f32, slopes);
                }
            }
            make(query, values);
        }
    }

    /// With probabilities in `self` and the gradients of them in `gradient`, makes the gradients those of the products of
    /// queries and keys.
    pub fn gradient_of_products(&self, gradient: &mut Block, scores: Scores, slopes: &Block) {
        let rows = self.values.chunks_exact(self.pitch);
        let gradients = gradient.values.chunks_exact_mut(self.pitch);
        for (row, (likely, gradients)) in rows.zip(gradients).take(self.queries).enumerate() {
            let mean = dot::<LANES>(likely, gradients);
            let scale = scores.scale as f32;
            for (gradient, likely) in gradients.iter_mut().zip(likely) {
                *gradient = likely * (*gradient - mean) * scale;
            }
            if scores.softcap.is_some() {
                let slopes = &slopes.values[row * self.pitch..][..self.pitch];
                for (gradient, slope) in gradients.iter_mut().zip(slopes) {
                    *gradient *= slope;
                }
            }
        }
    }

    /// Adds the products with the rows of a head from key `first` on to rows of `result`.
    pub fn times(&self, head: Head<'_>, first: usize, result: &mut [f32], place: Place) {
        let mut copy = Vec::new();
        for start in (0..self.keys).step_by(DEPTH) {
            let depth = DEPTH.min(self.keys - start);
            let rows = Rows::new(&self.values[start..], self.pitch, self.queries);
            add_product(rows, head, first + start, depth, result, place, &mut copy);
        }
    }

    /// Adds the products of the transpose with the rows of a head from query `first` on to rows of `result`, a key each.
    pub fn transposed_times(
        &self,
        head: Head<'_>,
        first: usize,
        result: &mut [f32],
        place: Place,
        turned: &mut Vec<f32>,
    ) {
        let pitch = self.queries.next_multiple_of(COLUMNS);
        turned.resize(self.keys * pitch, 0.0);
        for query in (0..pitch).step_by(COLUMNS) {
            let rows = &self.values[query * self.pitch..];
            transpose_rows(rows, self.pitch, self.keys, &mut turned[query..], pitch);
        }
        let rows = Rows::new(turned, pitch, self.keys);
        let mut copy = Vec::new();
        add_product(rows, head, first, self.queries, result, place, &mut copy);
    }
}

/// Adds `rows · (rows of a head from `first` on, `depth` of them)`.
fn add_product(
    rows: Rows<'_>,
    head: Head<'_>,
    first: usize,
    depth: usize,
    result: &mut [f32],
    place: Place,
    copy: &mut Vec<f32>,
) {
    for column in (0..head.width()).step_by(COLUMNS) {
        let wide = COLUMNS.min(head.width() - column);
        let panel = head.columns(first, depth, column, copy);
        let result = &mut result[place.start + column..];
        rows.multiply_add(panel, result, place.stride, wide);
    }
}

/// s becomes c · tanh(s / c).
fn bound_scores(scores: &mut [f32], bound: f32) {
    for score in scores {
        *score = bound * (*score / bound).tanh();
    }
}

/// 1 − tanh²(s / c), of what the bound made of s.
fn slopes_of_bound(bounded: &[f32], bound: f32, slopes: &mut [f32]) {
    for (slope, bounded) in slopes.iter_mut().zip(bounded) {
        let share = bounded / bound;
        *slope = 1.0 - share * share;
    }
}

/// Softmax in place; the result is ln Σ exp(value).
fn softmax(values: &mut [f32]) -> f32 {
    let largest = largest::<LANES>(values);
    for value in values.iter_mut() {
        *value = exp(*value - largest);
    }
    let total = sum::<LANES>(values);
    for value in values {
        *value /= total;
    }
    largest + total.ln()
}
