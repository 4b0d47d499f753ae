//! The gradient of attention's queries: a square of them a workgroup.

use cubecl::prelude::*;

use super::tile::{
    EACH, OWN, SHARERS, SIDE, SQUARE, TURNS, add_product, add_product_with_transpose,
    column_of_turn, load, own_row, put, score, sees, shared_row, store, zeros,
};

/// ∂Q in one pass over the keys: Σ P ∘ ∂P is only known at its end, so `Σ P ∘ ∂P · K` and `Σ P · K` are added up apart.
///
/// `summary` takes for each query its total, Σ P ∘ ∂P and the bounds of its document, for the gradients of keys and values.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments)]
pub fn to_queries(
    gradient: &[f32],
    queries: &[f32],
    keys: &[f32],
    values: &[f32],
    totals: &[f32],
    result: &mut [f32],
    summary: &mut [f32],
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
    let total_start = (sequence * heads + head) * tokens;

    let mut left = Shared::<[f32]>::new_slice(comptime!(SQUARE));
    let mut right = Shared::<[f32]>::new_slice(comptime!(SQUARE));
    let mut steep = Shared::<[f32]>::new_slice(comptime!(SQUARE));
    let mut changed = Shared::<[f32]>::new_slice(comptime!(SQUARE));
    let row = own_row();
    let of_turns = shared_row();
    let query = first_query + of_turns;
    let mut total = 0.0f32;
    let mut first_of_query = 0usize;
    let mut end_of_query = 0usize;
    if query < tokens {
        let of_query = (total_start + query) * 3;
        total = totals[of_query];
        first_of_query = totals[of_query + 1] as usize;
        end_of_query = totals[of_query + 2] as usize;
    }
    let mut mean = 0.0f32;

    let mut last = first_query + comptime!(SIDE - 1);
    if last >= tokens {
        last = tokens - 1;
    }
    let mut key = totals[(total_start + first_query) * 3 + 1] as usize;
    let mut end = totals[(total_start + last) * 3 + 2] as usize;
    if comptime!(causal) {
        end = past + last + 1;
        let seen = past + first_query + 1;
        if seen > window + key {
            key = seen - window;
        }
    }
    key = key / comptime!(SIDE) * comptime!(SIDE);
    let mut with_change = zeros(comptime!(own_squares * OWN));
    let mut without = zeros(comptime!(own_squares * OWN));
    while key < end {
        let mut products = zeros(comptime!(OWN));
        let mut changes = zeros(comptime!(OWN));
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
            load(
                gradient,
                query_start,
                first_query,
                tokens,
                row_stride,
                from,
                width,
                &mut left,
            );
            load(
                values,
                value_start,
                key,
                key_count,
                value_row,
                from,
                width,
                &mut right,
            );
            sync_cube();
            add_product_with_transpose(&left, &right, &mut changes);
            sync_cube();
        }
        put(&products, 0usize, &mut steep);
        put(&changes, 0usize, &mut changed);
        sync_cube();
        for turn in 0..comptime!(TURNS) {
            let of_turn = column_of_turn(turn);
            let of_key = key + of_turn;
            let place = of_turns * comptime!(SIDE) + of_turn;
            let mut slope = 0.0f32;
            let mut change = 0.0f32;
            if of_key >= first_of_query
                && of_key < end_of_query
                && sees(past + query, of_key, window, causal)
            {
                let score = score(steep[place], scale, bound, bounded);
                slope = f32::exp(score - total);
                change = slope * changed[place];
                mean += change;
                if comptime!(bounded) {
                    let share = score / bound;
                    slope *= 1.0 - share * share;
                    change *= 1.0 - share * share;
                }
            }
            steep[place] = slope;
            changed[place] = change;
        }
        sync_cube();
        #[unroll]
        for square in 0..own_squares {
            load(
                keys,
                key_start,
                key,
                key_count,
                key_row,
                first_column + square * comptime!(SIDE),
                width,
                &mut right,
            );
            sync_cube();
            add_product(&changed, &right, &mut with_change, square * comptime!(OWN));
            add_product(&steep, &right, &mut without, square * comptime!(OWN));
            sync_cube();
        }
        key += comptime!(SIDE);
    }

    // The means of the two threads of a row are added, and told to those who hold its results.
    let unit = UNIT_POS as usize;
    left[unit] = mean;
    sync_cube();
    let mut means = zeros(comptime!(EACH));
    #[unroll]
    for i in 0..comptime!(EACH) {
        #[unroll]
        for sharer in 0..comptime!(SHARERS) {
            means[i] += left[(row + i) * comptime!(SHARERS) + sharer];
        }
    }
    if part == 0 && unit == of_turns * comptime!(SHARERS) && query < tokens {
        let mut sum = 0.0f32;
        #[unroll]
        for sharer in 0..comptime!(SHARERS) {
            sum += left[of_turns * comptime!(SHARERS) + sharer];
        }
        let place = (total_start + query) * 4;
        summary[place] = total;
        summary[place + 1] = sum;
        summary[place + 2] = first_of_query as f32;
        summary[place + 3] = end_of_query as f32;
    }
    #[unroll]
    for square in 0..own_squares {
        #[unroll]
        for i in 0..comptime!(EACH) {
            #[unroll]
            for j in 0..comptime!(EACH) {
                let index = square * comptime!(OWN) + i * comptime!(EACH) + j;
                with_change[index] = (with_change[index] - means[i] * without[index]) * scale;
            }
        }
        put(&with_change, square * comptime!(OWN), &mut right);
        sync_cube();
        store(
            &right,
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
}
