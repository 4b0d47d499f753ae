//! The gradients of attention's keys and values: a square of them a workgroup, against all queries that see one of them.

use cubecl::prelude::*;

use super::tile::{
    OWN, SIDE, SQUARE, TURNS, add_product_with_transpose, add_transposed_product, column_of_turn,
    load, put, score, sees, shared_row, store, zeros,
};

/// ∂K and ∂V, with what the gradient of the queries left in `summary`.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments)]
pub fn to_keys(
    gradient: &[f32],
    queries: &[f32],
    keys: &[f32],
    values: &[f32],
    summary: &[f32],
    of_keys: &mut [f32],
    of_values: &mut [f32],
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
    let first_key = CUBE_POS_X as usize * comptime!(SIDE);
    let of_head = CUBE_POS_Y as usize;
    let sequence = CUBE_POS_Z as usize / parts;
    let part = CUBE_POS_Z as usize % parts;
    let first_column = part * comptime!(own_squares * SIDE);
    let row_stride = heads * width;
    let key_start = sequence * key_sequence + of_head * key_head;
    let value_start = sequence * value_sequence + of_head * value_head;

    let mut left = Shared::<[f32]>::new_slice(comptime!(SQUARE));
    let mut right = Shared::<[f32]>::new_slice(comptime!(SQUARE));
    let mut likely = Shared::<[f32]>::new_slice(comptime!(SQUARE));
    let mut changed = Shared::<[f32]>::new_slice(comptime!(SQUARE));
    let of_turns = shared_row();

    let mut first = 0usize;
    let mut end = tokens;
    if comptime!(causal) {
        if first_key > past {
            first = (first_key - past) / comptime!(SIDE) * comptime!(SIDE);
        }
        // The last query that sees the last of these keys, within its window and within its document.
        let mut last_key = first_key + comptime!(SIDE - 1);
        if last_key >= key_count {
            last_key = key_count - 1;
        }
        let mut behind = last_key + window;
        if last_key >= past {
            let of_head = (sequence * heads + of_head * group) * tokens;
            let end_of_document = summary[(of_head + last_key - past) * 4 + 3] as usize;
            if end_of_document < behind {
                behind = end_of_document;
            }
        }
        if behind <= past {
            end = 0;
        } else if behind < past + tokens {
            end = behind - past;
        }
    }
    let mut key_sums = zeros(comptime!(own_squares * OWN));
    let mut value_sums = zeros(comptime!(own_squares * OWN));
    for sharer in 0..group {
        let head = of_head * group + sharer;
        let query_start = sequence * tokens * row_stride + head * width;
        let total_start = (sequence * heads + head) * tokens;
        let mut first_query = first;
        while first_query < end {
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
                    keys, key_start, first_key, key_count, key_row, from, width, &mut right,
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
                    first_key,
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
            put(&products, 0usize, &mut likely);
            put(&changes, 0usize, &mut changed);
            sync_cube();
            let query = first_query + of_turns;
            let mut total = 0.0f32;
            let mut mean = 0.0f32;
            let mut first_of_query = 0usize;
            let mut end_of_query = 0usize;
            if query < tokens {
                let of_query = (total_start + query) * 4;
                total = summary[of_query];
                mean = summary[of_query + 1];
                first_of_query = summary[of_query + 2] as usize;
                end_of_query = summary[of_query + 3] as usize;
            }
            for turn in 0..comptime!(TURNS) {
                let of_turn = column_of_turn(turn);
                let key = first_key + of_turn;
                let place = of_turns * comptime!(SIDE) + of_turn;
                let mut chance = 0.0f32;
                let mut change = 0.0f32;
                if key >= first_of_query
                    && key < end_of_query
                    && sees(past + query, key, window, causal)
                {
                    let score = score(likely[place], scale, bound, bounded);
                    chance = f32::exp(score - total);
                    change = chance * (changed[place] - mean) * scale;
                    if comptime!(bounded) {
                        let share = score / bound;
                        change *= 1.0 - share * share;
                    }
                }
                likely[place] = chance;
                changed[place] = change;
            }
            sync_cube();
            #[unroll]
            for square in 0..own_squares {
                let from = first_column + square * comptime!(SIDE);
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
                    queries,
                    query_start,
                    first_query,
                    tokens,
                    row_stride,
                    from,
                    width,
                    &mut right,
                );
                sync_cube();
                let place = square * comptime!(OWN);
                add_transposed_product(&likely, &left, &mut value_sums, place);
                add_transposed_product(&changed, &right, &mut key_sums, place);
                sync_cube();
            }
            first_query += comptime!(SIDE);
        }
    }

    let key_heads = heads / group;
    let result_start = (sequence * key_heads + of_head) * key_count * width;
    #[unroll]
    for square in 0..own_squares {
        let from = first_column + square * comptime!(SIDE);
        put(&key_sums, square * comptime!(OWN), &mut left);
        put(&value_sums, square * comptime!(OWN), &mut right);
        sync_cube();
        store(
            &left,
            of_keys,
            result_start,
            first_key,
            key_count,
            width,
            from,
            width,
        );
        store(
            &right,
            of_values,
            result_start,
            first_key,
            key_count,
            width,
            from,
            width,
        );
        sync_cube();
    }
}
