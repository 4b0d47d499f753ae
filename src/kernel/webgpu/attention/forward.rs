//! Attention: a square of queries a workgroup, against one square of keys after the other.

use cubecl::prelude::*;

use super::tile::{
    EACH, LEAST, OWN, SIDE, SQUARE, TURNS, add_product, add_product_with_transpose, column_of_turn,
    load, own_row, put, score, sees, shared_row, store, zeros,
};

/// Softmax as Milakov and Gimelshein 2018 (arXiv 1805.02867) compute it: with the largest score so far, by which what was
/// summed is corrected when a larger one comes.
///
/// `totals` takes for each query ln Σ exp(score) and the bounds of its document, which are whole numbers that f32 holds.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments)]
pub fn forward(
    queries: &[f32],
    keys: &[f32],
    values: &[f32],
    documents: &[i32],
    result: &mut [f32],
    totals: &mut [f32],
    tokens: usize,
    heads: usize,
    group: usize,
    key_count: usize,
    width: usize,
    past: usize,
    window: usize,
    key_sequence: usize,
    key_head: usize,
    key_row: usize,
    value_sequence: usize,
    value_head: usize,
    value_row: usize,
    scale: f32,
    bound: f32,
    #[comptime] squares: usize,
    #[comptime] own_squares: usize,
    #[comptime] causal: bool,
    #[comptime] bounded: bool,
) {
    let parts = comptime!(squares.div_ceil(own_squares));
    let first_query = CUBE_POS_X as usize * comptime!(SIDE);
    let head = CUBE_POS_Y as usize;
    let sequence = CUBE_POS_Z as usize / parts;
    let part = CUBE_POS_Z as usize % parts;
    let first_column = part * comptime!(own_squares * SIDE);
    let row_stride = heads * width;
    let query_start = sequence * tokens * row_stride + head * width;
    let key_start = sequence * key_sequence + head / group * key_head;
    let value_start = sequence * value_sequence + head / group * value_head;

    let mut left = Shared::<[f32]>::new_slice(comptime!(SQUARE));
    let mut right = Shared::<[f32]>::new_slice(comptime!(SQUARE));
    let mut likely = Shared::<[f32]>::new_slice(comptime!(SQUARE));
    let mut largest = Shared::<[f32]>::new_slice(comptime!(SIDE));
    let mut sum = Shared::<[f32]>::new_slice(comptime!(SIDE));
    let mut correction = Shared::<[f32]>::new_slice(comptime!(SIDE));
    let unit = UNIT_POS as usize;
    let least = f32::new(LEAST);
    let row = own_row();
    if unit < comptime!(SIDE) {
        largest[unit] = least;
        sum[unit] = 0.0f32;
    }

    // Squares of keys that no query of this workgroup sees are passed over.
    let mut last = first_query + comptime!(SIDE - 1);
    if last >= tokens {
        last = tokens - 1;
    }
    let mut key = documents[first_query] as usize;
    let mut end = documents[tokens + last] as usize;
    if comptime!(causal) {
        end = past + last + 1;
        let seen = past + first_query + 1;
        if seen > window + key {
            key = seen - window;
        }
    }
    key = key / comptime!(SIDE) * comptime!(SIDE);
    let of_turns = shared_row();
    let query = first_query + of_turns;
    let mut first_of_query = 0usize;
    let mut end_of_query = 0usize;
    if query < tokens {
        first_of_query = documents[query] as usize;
        end_of_query = documents[tokens + query] as usize;
    }
    let mut results = zeros(comptime!(own_squares * OWN));
    while key < end {
        let mut products = zeros(comptime!(OWN));
        for square in 0..squares {
            let from = square * comptime!(SIDE);
            load(
                queries,
                query_start,
                first_query,
                tokens,
                row_stride,
                from,
                width,
                &mut left,
            );
            load(
                keys, key_start, key, key_count, key_row, from, width, &mut right,
            );
            sync_cube();
            add_product_with_transpose(&left, &right, &mut products);
            sync_cube();
        }
        put(&products, 0usize, &mut likely);
        sync_cube();
        for turn in 0..comptime!(TURNS) {
            let of_turn = column_of_turn(turn);
            let of_key = key + of_turn;
            let place = of_turns * comptime!(SIDE) + of_turn;
            let mut value = least;
            if of_key >= first_of_query
                && of_key < end_of_query
                && sees(past + query, of_key, window, causal)
            {
                value = score(likely[place], scale, bound, bounded);
            }
            likely[place] = value;
        }
        sync_cube();
        if unit < comptime!(SIDE) {
            let start = unit * comptime!(SIDE);
            let before = largest[unit];
            let mut now = before;
            for place in 0..comptime!(SIDE) {
                let value = likely[start + place];
                if value > now {
                    now = value;
                }
            }
            let corrected = f32::exp(before - now);
            let mut total = sum[unit] * corrected;
            for place in 0..comptime!(SIDE) {
                let value = likely[start + place];
                let mut chance = 0.0f32;
                if value > least {
                    chance = f32::exp(value - now);
                }
                likely[start + place] = chance;
                total += chance;
            }
            largest[unit] = now;
            sum[unit] = total;
            correction[unit] = corrected;
        }
        sync_cube();
        #[unroll]
        for i in 0..comptime!(EACH) {
            let corrected = correction[row + i];
            #[unroll]
            for square in 0..own_squares {
                #[unroll]
                for j in 0..comptime!(EACH) {
                    results[square * comptime!(OWN) + i * comptime!(EACH) + j] *= corrected;
                }
            }
        }
        #[unroll]
        for square in 0..own_squares {
            load(
                values,
                value_start,
                key,
                key_count,
                value_row,
                first_column + square * comptime!(SIDE),
                width,
                &mut right,
            );
            sync_cube();
            add_product(&likely, &right, &mut results, square * comptime!(OWN));
            sync_cube();
        }
        key += comptime!(SIDE);
    }

    #[unroll]
    for i in 0..comptime!(EACH) {
        let total = sum[row + i];
        #[unroll]
        for square in 0..own_squares {
            #[unroll]
            for j in 0..comptime!(EACH) {
                results[square * comptime!(OWN) + i * comptime!(EACH) + j] /= total;
            }
        }
    }
    #[unroll]
    for square in 0..own_squares {
        put(&results, square * comptime!(OWN), &mut left);
        sync_cube();
        store(
            &left,
            result,
            query_start,
            first_query,
            tokens,
            row_stride,
            first_column + square * comptime!(SIDE),
            width,
        );
        sync_cube();
    }
    let query = first_query + unit;
    if part == 0 && unit < comptime!(SIDE) && query < tokens {
        let place = ((sequence * heads + head) * tokens + query) * 3;
        totals[place] = largest[unit] + f32::ln(sum[unit]);
        totals[place + 1] = documents[query] as f32;
        totals[place + 2] = documents[tokens + query] as f32;
    }
}
