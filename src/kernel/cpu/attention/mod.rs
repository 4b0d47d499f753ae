//! Attention, a few queries of a head after the other.

mod block;
mod heads;
mod panels;

use std::ops::Range;

use burn::backend::{
    Flex,
    tensor::{FloatTensor, IntTensor},
};

use self::{
    block::{Block, QUERIES, Span},
    heads::{HeadAxis, Heads, Place},
    panels::Panels,
};
use super::host::{self, contiguous, tensor};
use crate::kernel::attention::{Attention, AttentionGradients, Scores};

impl Attention for Flex {
    fn attention(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        documents: IntTensor<Self>,
        scores: Scores,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let queries = Heads::new(queries, HeadAxis::Second);
        let keys = Heads::new(keys, HeadAxis::First);
        let values = Heads::new(values, HeadAxis::First);
        let [sequences, heads, tokens, width] = queries.dims;
        let [_, key_heads, ..] = keys.dims;
        let group = heads / key_heads;
        let documents = documents_of(documents, tokens);

        let mut result = vec![0.0; sequences * tokens * heads * width];
        let mut totals = vec![0.0; sequences * heads * tokens];
        let mut panels = Panels::default();
        let mut likely = Block::default();
        let mut turned = Vec::new();
        for (sequence, key_head, document) in parts([sequences, key_heads], &documents) {
            let (keys, values) = (
                keys.head(sequence, key_head).part(&document.keys),
                values.head(sequence, key_head).part(&document.keys),
            );
            if tokens == 1 {
                let first = key_head * group;
                panels.fill(queries.group(sequence, first, group, 0));
                let span = Span::at_one_token(group, keys.tokens(), scores);
                likely.multiply_few(&panels, keys, span, &mut turned);
                likely.softmax(span, scores, &mut totals[sequence * heads + first..]);
                let place = Place {
                    start: (sequence * heads + first) * width,
                    stride: width,
                };
                likely.times(values, span.key, &mut result, place);
                continue;
            }
            panels.fill(keys);
            for head in key_head * group..(key_head + 1) * group {
                let first = document.queries.start;
                let place = queries.place_in_order(sequence, head, HeadAxis::Second);
                let place = place.at_row(first);
                let queries = queries.head(sequence, head).part(&document.queries);
                let totals = &mut totals[(sequence * heads + head) * tokens + first..];
                for query in (0..queries.tokens()).step_by(QUERIES) {
                    let span = Span::new(query, queries.tokens(), keys.tokens(), scores);
                    likely.multiply(queries.rows(query, span.queries), &panels, span);
                    likely.softmax(span, scores, &mut totals[query..]);
                    likely.times(values, span.key, &mut result, place.at_row(query));
                }
            }
        }
        (
            tensor(result, [sequences, tokens, heads, width]),
            tensor(totals, [sequences, heads, tokens]),
        )
    }
}

impl AttentionGradients for Flex {
    fn attention_gradients(
        gradient: FloatTensor<Self>,
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        totals: FloatTensor<Self>,
        documents: IntTensor<Self>,
        scores: Scores,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let gradient = Heads::new(gradient, HeadAxis::Second);
        let queries = Heads::new(queries, HeadAxis::Second);
        let keys = Heads::new(keys, HeadAxis::First);
        let values = Heads::new(values, HeadAxis::First);
        let [sequences, heads, tokens, width] = queries.dims;
        let [_, key_heads, key_count, _] = keys.dims;
        let group = heads / key_heads;
        let documents = documents_of(documents, tokens);

        let totals = contiguous(totals);
        let mut to_queries = vec![0.0; sequences * tokens * heads * width];
        let mut to_keys = vec![0.0; sequences * key_heads * key_count * width];
        let mut to_values = to_keys.clone();
        let (mut key_panels, mut value_panels) = (Panels::default(), Panels::default());
        let (mut likely, mut slopes, mut change) =
            (Block::default(), Block::default(), Block::default());
        let mut turned = Vec::new();
        for (sequence, key_head, document) in parts([sequences, key_heads], &documents) {
            let key_place = keys.place_in_order(sequence, key_head, HeadAxis::First);
            let key_place = key_place.at_row(document.keys.start);
            let keys = keys.head(sequence, key_head).part(&document.keys);
            key_panels.fill(keys);
            value_panels.fill(values.head(sequence, key_head).part(&document.keys));
            for head in key_head * group..(key_head + 1) * group {
                let first = document.queries.start;
                let place = queries.place_in_order(sequence, head, HeadAxis::Second);
                let place = place.at_row(first);
                let queries = queries.head(sequence, head).part(&document.queries);
                let gradient = gradient.head(sequence, head).part(&document.queries);
                let totals = &host::values(&totals)[(sequence * heads + head) * tokens + first..];
                for query in (0..queries.tokens()).step_by(QUERIES) {
                    let span = Span::new(query, queries.tokens(), keys.tokens(), scores);
                    let key_place = key_place.at_row(span.key);
                    likely.multiply(queries.rows(query, span.queries), &key_panels, span);
                    likely.softmax_again(span, scores, &totals[query..], &mut slopes);
                    change.multiply(gradient.rows(query, span.queries), &value_panels, span);
                    likely.transposed_times(
                        gradient,
                        query,
                        &mut to_values,
                        key_place,
                        &mut turned,
                    );
                    likely.gradient_of_products(&mut change, scores, &slopes);
                    change.times(keys, span.key, &mut to_queries, place.at_row(query));
                    change.transposed_times(queries, query, &mut to_keys, key_place, &mut turned);
                }
            }
        }
        let of_keys = [sequences, key_heads, key_count, width];
        (
            tensor(to_queries, [sequences, tokens, heads, width]),
            tensor(to_keys, of_keys),
            tensor(to_values, of_keys),
        )
    }
}

/// Queries that see none but these keys.
struct Document {
    queries: Range<usize>,
    keys: Range<usize>,
}

/// Documents of `tokens` queries, of the bounds that they have for each.
fn documents_of(bounds: IntTensor<Flex>, tokens: usize) -> Vec<Document> {
    let bounds = bounds.into_data();
    let bounds: Vec<usize> = bounds.iter::<i64>().map(|key| key as usize).collect();
    let (starts, ends) = bounds.split_at(tokens);
    let mut first = 0;
    let same_start = starts.chunk_by(|one, other| one == other);
    same_start
        .map(|same| {
            let queries = first..first + same.len();
            first = queries.end;
            Document {
                keys: same[0]..ends[queries.start],
                queries,
            }
        })
        .collect()
}

/// Every document of every key head of every sequence.
fn parts(
    [sequences, key_heads]: [usize; 2],
    documents: &[Document],
) -> impl Iterator<Item = (usize, usize, &Document)> {
    (0..sequences).flat_map(move |sequence| {
        (0..key_heads).flat_map(move |key_head| {
            let documents = documents.iter();
            documents.map(move |document| (sequence, key_head, document))
        })
    })
}
