//! Attention's softmax and its derivative, a workgroup a row.

use burn::backend::{TensorMetadata, tensor::FloatTensor};
use burn_cubecl::{CubeBackend, kernel::into_contiguous};
use cubecl::prelude::*;

use super::super::softmax::{Causal, CausalSoftmax, CausalSoftmaxGradient};
use super::rows::{
    THREADS, empty_like, exponentials_of_row, largest_of_row, row_of, sum_of_threads, workgroups,
};

impl CausalSoftmax for CubeBackend {
    fn causal_softmax(scores: FloatTensor<Self>, causal: Causal) -> FloatTensor<Self> {
        let scores = into_contiguous(scores);
        let keys = scores.shape()[3];
        let rows = scores.shape().num_elements() / keys;
        let result = empty_like(&scores);
        // SAFETY: workgroup n touches row n of the scores and of the result, which have `rows` of them, of `keys` values.
        unsafe {
            softmax::launch_unchecked(
                &result.client,
                workgroups(rows),
                CubeDim::new_1d(THREADS),
                scores.into_buffer_arg(),
                result.clone().into_buffer_arg(),
                rows,
                keys,
                causal.past,
                causal.tokens,
                causal.window.unwrap_or(keys),
            );
        }
        result
    }
}

impl CausalSoftmaxGradient for CubeBackend {
    fn causal_softmax_gradient(
        gradient: FloatTensor<Self>,
        likely: FloatTensor<Self>,
        causal: Causal,
    ) -> FloatTensor<Self> {
        let (gradient, likely) = (into_contiguous(gradient), into_contiguous(likely));
        let keys = likely.shape()[3];
        let rows = likely.shape().num_elements() / keys;
        let result = empty_like(&likely);
        // SAFETY: as above, of three tensors.
        unsafe {
            softmax_gradient::launch_unchecked(
                &result.client,
                workgroups(rows),
                CubeDim::new_1d(THREADS),
                gradient.into_buffer_arg(),
                likely.into_buffer_arg(),
                result.clone().into_buffer_arg(),
                rows,
                keys,
                causal.past,
                causal.tokens,
                causal.window.unwrap_or(keys),
            );
        }
        result
    }
}

#[cube(launch_unchecked)]
fn softmax(
    scores: &[f32],
    result: &mut [f32],
    rows: usize,
    keys: usize,
    past: usize,
    tokens: usize,
    window: usize,
) {
    let row = row_of(rows);
    let start = row * keys;
    // Whole heads lie one after the other, so a row's place in its head is its place in all, modulo the tokens.
    let seen = past + row % tokens + 1;
    let mut first = 0;
    if seen > window {
        first = seen - window;
    }
    let mut shared = Shared::<[f32]>::new_slice(comptime!(THREADS as usize));
    let threads = comptime!(THREADS as usize);
    // Of keys, one at least is seen.
    let count = seen - first;
    let largest = largest_of_row(scores, start + first, count, &mut shared, threads);
    let sum = exponentials_of_row(scores, start + first, count, largest, &mut shared, threads);
    let mut key = UNIT_POS as usize;
    while key < keys {
        let mut likely = 0.0f32;
        if key >= first && key < seen {
            likely = f32::exp(scores[start + key] - largest) / sum;
        }
        result[start + key] = likely;
        key += CUBE_DIM as usize;
    }
}

#[cube(launch_unchecked)]
fn softmax_gradient(
    gradient: &[f32],
    likely: &[f32],
    result: &mut [f32],
    rows: usize,
    keys: usize,
    past: usize,
    tokens: usize,
    window: usize,
) {
    let row = row_of(rows);
    let start = row * keys;
    let seen = past + row % tokens + 1;
    let mut first = 0;
    if seen > window {
        first = seen - window;
    }
    let mut shared = Shared::<[f32]>::new_slice(comptime!(THREADS as usize));
    let mut mean = 0.0f32;
    let mut key = first + UNIT_POS as usize;
    while key < seen {
        mean += gradient[start + key] * likely[start + key];
        key += CUBE_DIM as usize;
    }
    let mean = sum_of_threads(mean, &mut shared, comptime!(THREADS as usize));
    key = UNIT_POS as usize;
    while key < keys {
        let mut change = 0.0f32;
        if key >= first && key < seen {
            change = likely[start + key] * (gradient[start + key] - mean);
        }
        result[start + key] = change;
        key += CUBE_DIM as usize;
    }
}
