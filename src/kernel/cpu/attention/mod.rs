//! Attention, a few queries of a head after the other.

mod block;
mod heads;
mod panels;

use burn::backend::{Flex, tensor::FloatTensor};

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
        scores: Scores,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let queries = Heads::new(queries, HeadAxis::Second);
        let keys = Heads::new(keys, HeadAxis::First);
        let values = Heads::new(values, HeadAxis::First);
        let [sequences, heads, tokens, width] = queries.dims;
        let [_, key_heads, key_count, _] = keys.dims;
        let group = heads / key_heads;

        let mut result = vec![0.0; sequences * tokens * heads * width];
        let mut totals = vec![0.0; sequences * heads * tokens];
        let mut panels = Panels::default();
        let mut likely = Block::default();
        let mut turned = Vec::new();
        for sequence in 0..sequences {
            for key_head in 0..key_heads {
                let (keys, values) = (
                    keys.head(sequence, key_head),
                    values.head(sequence, key_head),
                );
                if tokens == 1 {
                    let first = key_head * group;
                    panels.fill(queries.group(sequence, first, group, 0));
                    let span = Span::at_one_token(group, key_count, scores);
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
                    let place = queries.place_in_order(sequence, head, HeadAxis::Second);
                    let queries = queries.head(sequence, head);
                    let totals = &mut totals[(sequence * heads + head) * tokens..];
                    for query in (0..tokens).step_by(QUERIES) {
                        let span = Span::new(query, tokens, key_count, scores);
                        likely.multiply(queries.rows(query, span.queries), &panels, span);
                        likely.softmax(span, scores, &mut totals[query..]);
                        likely.times(values, span.key, &mut result, place.at_row(query));
                    }
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
        scores: Scores,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let gradient = Heads::new(gradient, HeadAxis::Second);
        let queries = Heads::new(queries, HeadAxis::Second);
        let keys = Heads::new(keys, HeadAxis::First);
        let values = Heads::new(values, HeadAxis::First);
        let [sequences, heads, tokens, width] = queries.dims;
        let [_, key_heads, key_count, _] = keys.dims;
        let group = heads / key_heads;

        let totals = contiguous(totals);
        let mut to_queries = vec![0.0; sequences * tokens * heads * width];
        let mut to_keys = vec![0.0; sequences * key_heads * key_count * width];
        let mut to_values = to_keys.clone();
        let (mut key_panels, mut value_panels) = (Panels::default(), Panels::default());
        let (mut likely, mut slopes, mut change) =
            (Block::default(), Block::default(), Block::default());
        let mut turned = Vec::new();
        for sequence in 0..sequences {
            for key_head in 0..key_heads {
                let key_place = keys.place_in_order(sequence, key_head, HeadAxis::First);
                let keys = keys.head(sequence, key_head);
                key_panels.fill(keys);
                value_panels.fill(values.head(sequence, key_head));
                for head in key_head * group..(key_head + 1) * group {
                    let place = queries.place_in_order(sequence, head, HeadAxis::Second);
                    let (queries, gradient) =
                        (queries.head(sequence, head), gradient.head(sequence, head));
                    let totals = &host::values(&totals)[(sequence * heads + head) * tokens..];
                    for query in (0..tokens).step_by(QUERIES) {
                        let span = Span::new(query, tokens, key_count, scores);
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
                        change.transposed_times(
                            queries,
                            query,
                            &mut to_keys,
                            key_place,
                            &mut turned,
                        );
                    }
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
