//! Attention on WebGPU: one launch forward, two backward, none of which keeps scores.

mod forward;
mod plan;
mod tile;
mod to_keys;
mod to_queries;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::Shape;
use burn_cubecl::{
    CubeBackend, kernel::into_contiguous, ops::numeric::empty_device_contiguous_dtype,
    tensor::CubeTensor,
};
use cubecl::prelude::*;

use self::{
    plan::{Plan, strides},
    tile::THREADS,
};
use super::rows::empty_like;
use crate::kernel::attention::{Attention, AttentionGradients, Scores};

impl Attention for CubeBackend {
    fn attention(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        documents: IntTensor<Self>,
        scores: Scores,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let queries = into_contiguous(queries);
        let (keys, values) = (with_rows_in_order(keys), with_rows_in_order(values));
        let plan = Plan::new(&queries, &keys, scores);
        let result = empty_like(&queries);
        let totals = empty(&queries, [plan.sequences, plan.heads, plan.tokens, 3]);
        let ([key_sequence, key_head, key_row], [value_sequence, value_head, value_row]) =
            (strides(&keys), strides(&values));
        // SAFETY: a thread reads and writes rows below the tokens, keys and heads of the plan, which the tensors have, and
        // columns below their width; documents have two bounds a token.
        unsafe {
            forward::forward::launch_unchecked(
                &result.client,
                plan.workgroups(plan.tokens, plan.heads),
                CubeDim::new_1d(THREADS as u32),
                queries.into_buffer_arg(),
                keys.into_buffer_arg(),
                values.into_buffer_arg(),
                into_contiguous(documents).into_buffer_arg(),
                result.clone().into_buffer_arg(),
                totals.clone().into_buffer_arg(),
                plan.tokens,
                plan.heads,
                plan.group(),
                plan.keys,
                plan.width,
                plan.past,
                plan.window,
                key_sequence,
                key_head,
                key_row,
                value_sequence,
                value_head,
                value_row,
                plan.scale,
                plan.bound,
                plan.squares,
                plan.own_squares,
                plan.causal,
                plan.bounded,
            );
        }
        (result, totals)
    }
}

impl AttentionGradients for CubeBackend {
    fn attention_gradients(
        gradient: FloatTensor<Self>,
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        totals: FloatTensor<Self>,
        _documents: IntTensor<Self>,
        scores: Scores,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (gradient, queries) = (into_contiguous(gradient), into_contiguous(queries));
        let totals = into_contiguous(totals);
        let (keys, values) = (with_rows_in_order(keys), with_rows_in_order(values));
        let plan = Plan::new(&queries, &keys, scores);
        let to_queries = empty_like(&queries);
        let [to_keys, to_values] = [&keys, &values].map(empty_like);
        let summary = empty(&queries, [plan.sequences, plan.heads, plan.tokens, 4]);
        let ([key_sequence, key_head, key_row], [value_sequence, value_head, value_row]) =
            (strides(&keys), strides(&values));
        // SAFETY: as above; the gradient has the queries' shape, and the summary four values a query and head.
        unsafe {
            to_queries::to_queries::launch_unchecked(
                &to_queries.client,
                plan.workgroups(plan.tokens, plan.heads),
                CubeDim::new_1d(THREADS as u32),
                gradient.clone().into_buffer_arg(),
                queries.clone().into_buffer_arg(),
                keys.clone().into_buffer_arg(),
                values.clone().into_buffer_arg(),
                totals.into_buffer_arg(),
                to_queries.clone().into_buffer_arg(),
                summary.clone().into_buffer_arg(),
                plan.tokens,
                plan.heads,
                plan.group(),
                plan.keys,
                plan.width,
                plan.past,
                plan.window,
                key_sequence,
                key_head,
                key_row,
                value_sequence,
                value_head,
                value_row,
                plan.scale,
                plan.bound,
                plan.squares,
                plan.own_squares,
                plan.causal,
                plan.bounded,
            );
            to_keys::to_keys::launch_unchecked(
                &to_queries.client,
                plan.workgroups(plan.keys, plan.key_heads),
                CubeDim::new_1d(THREADS as u32),
                gradient.into_buffer_arg(),
                queries.into_buffer_arg(),
                keys.into_buffer_arg(),
                values.into_buffer_arg(),
                summary.into_buffer_arg(),
                to_keys.clone().into_buffer_arg(),
                to_values.clone().into_buffer_arg(),
                plan.tokens,
                plan.heads,
                plan.group(),
                plan.keys,
                plan.width,
                plan.past,
                plan.window,
                key_sequence,
                key_head,
                key_row,
                value_sequence,
                value_head,
                value_row,
                plan.scale,
                plan.bound,
                plan.squares,
                plan.own_squares,
                plan.causal,
                plan.bounded,
            );
        }
        (to_queries, to_keys, to_values)
    }
}

/// The tensor, copied first where a row's values are no neighbours.
fn with_rows_in_order(tensor: CubeTensor) -> CubeTensor {
    match tensor.meta.strides()[3] {
        1 => tensor,
        _ => into_contiguous(tensor),
    }
}

/// A fresh tensor beside `like`.
fn empty<const D: usize>(like: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    let (client, device) = (like.client.clone(), like.device.clone());
    empty_device_contiguous_dtype(client, device, Shape::new(shape), like.dtype)
}
