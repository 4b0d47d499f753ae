//! Squares of values in the storage of a workgroup, and their products: what attention's kernels share.

use cubecl::prelude::*;

/// Rows and columns of a square.
pub const SIDE: usize = 32;
/// Values of a square.
pub const SQUARE: usize = SIDE * SIDE;
/// Threads of a workgroup: each has a square of `EACH` × `EACH` values.
pub const THREADS: usize = 64;
/// Rows and columns of a thread.
pub const EACH: usize = 4;
/// Values of a thread.
pub const OWN: usize = EACH * EACH;
/// Threads that share a row when values are looked at one by one.
pub const SHARERS: usize = THREADS / SIDE;
/// Values of a row for each of them.
pub const TURNS: usize = SIDE / SHARERS;
/// Less than any score.
pub const LEAST: f32 = -1e30;

/// The first row of this thread.
#[cube]
pub fn own_row() -> usize {
    UNIT_POS as usize / comptime!(SIDE / EACH) * comptime!(EACH)
}

/// The first column of this thread.
#[cube]
pub fn own_column() -> usize {
    UNIT_POS as usize % comptime!(SIDE / EACH) * comptime!(EACH)
}

/// `SIDE` columns from `column` on of the rows `first .. first + SIDE`, which are `stride` apart; 0 from row `end` and column
/// `width` on.
#[cube]
pub fn load(
    source: &[f32],
    start: usize,
    first: usize,
    end: usize,
    stride: usize,
    column: usize,
    width: usize,
    square: &mut [f32],
) {
    for turn in 0..comptime!(SQUARE / THREADS) {
        let place = UNIT_POS as usize + turn * comptime!(THREADS);
        let row = first + place / comptime!(SIDE);
        let from = column + place % comptime!(SIDE);
        let mut value = 0.0f32;
        if row < end && from < width {
            value = source[start + row * stride + from];
        }
        square[place] = value;
    }
}

/// The reverse of [`load`]: what a square holds of rows before `end` and columns before `width`.
#[cube]
pub fn store(
    square: &[f32],
    target: &mut [f32],
    start: usize,
    first: usize,
    end: usize,
    stride: usize,
    column: usize,
    width: usize,
) {
    for turn in 0..comptime!(SQUARE / THREADS) {
        let place = UNIT_POS as usize + turn * comptime!(THREADS);
        let row = first + place / comptime!(SIDE);
        let from = column + place % comptime!(SIDE);
        if row < end && from < width {
            target[start + row * stride + from] = square[place];
        }
    }
}

/// Puts this thread's values from `place` on into a square.
#[cube]
pub fn put(values: &Array<f32>, #[comptime] place: usize, square: &mut [f32]) {
    let row = own_row();
    let column = own_column();
    #[unroll]
    for i in 0..comptime!(EACH) {
        #[unroll]
        for j in 0..comptime!(EACH) {
            square[(row + i) * comptime!(SIDE) + column + j] =
                values[place + i * comptime!(EACH) + j];
        }
    }
}

/// The row that this thread and its partner go through together when values are looked at one by one.
#[cube]
pub fn shared_row() -> usize {
    UNIT_POS as usize / comptime!(SHARERS)
}

/// The column of the thread's `turn`th value of [`shared_row`]: neighbours are at different columns at any time, so that they
/// do not wait for the same bank of memory.
#[cube]
pub fn column_of_turn(turn: usize) -> usize {
    let unit = UNIT_POS as usize;
    unit % comptime!(SHARERS) * comptime!(TURNS)
        + (turn + unit / comptime!(SHARERS)) % comptime!(TURNS)
}

/// Adds this thread's part of `left · rightᵀ`.
#[cube]
pub fn add_product_with_transpose(left: &[f32], right: &[f32], sums: &mut Array<f32>) {
    let row = own_row();
    let column = own_column();
    for depth in 0..comptime!(SIDE) {
        #[unroll]
        for i in 0..comptime!(EACH) {
            let value = left[(row + i) * comptime!(SIDE) + depth];
            #[unroll]
            for j in 0..comptime!(EACH) {
                sums[i * comptime!(EACH) + j] +=
                    value * right[(column + j) * comptime!(SIDE) + depth];
            }
        }
    }
}

/// Adds this thread's part of `left · right` to the sums from `place` on.
#[cube]
pub fn add_product(left: &[f32], right: &[f32], sums: &mut Array<f32>, #[comptime] place: usize) {
    let row = own_row();
    let column = own_column();
    for depth in 0..comptime!(SIDE) {
        #[unroll]
        for i in 0..comptime!(EACH) {
            let value = left[(row + i) * comptime!(SIDE) + depth];
            #[unroll]
            for j in 0..comptime!(EACH) {
                sums[place + i * comptime!(EACH) + j] +=
                    value * right[depth * comptime!(SIDE) + column + j];
            }
        }
    }
}

/// Adds this thread's part of `leftᵀ · right` to the sums from `place` on.
#[cube]
pub fn add_transposed_product(
    left: &[f32],
    right: &[f32],
    sums: &mut Array<f32>,
    #[comptime] place: usize,
) {
    let row = own_row();
    let column = own_column();
    for depth in 0..comptime!(SIDE) {
        #[unroll]
        for i in 0..comptime!(EACH) {
            let value = left[depth * comptime!(SIDE) + row + i];
            #[unroll]
            for j in 0..comptime!(EACH) {
                sums[place + i * comptime!(EACH) + j] +=
                    value * right[depth * comptime!(SIDE) + column + j];
            }
        }
    }
}

/// `count` zeros.
#[cube]
pub fn zeros(#[comptime] count: usize) -> Array<f32> {
    let mut values = Array::<f32>::new(count);
    #[unroll]
    for index in 0..count {
        values[index] = 0.0f32;
    }
    values
}

/// The score of a product.
#[cube]
pub fn score(product: f32, scale: f32, bound: f32, #[comptime] bounded: bool) -> f32 {
    let mut score = product * scale;
    if comptime!(bounded) {
        score = bound * f32::tanh(score / bound);
    }
    score
}

/// Whether the query at `position` sees `key`.
#[cube]
pub fn sees(position: usize, key: usize, window: usize, #[comptime] causal: bool) -> bool {
    let mut seen = true;
    if comptime!(causal) {
        seen = key <= position && position < key + window;
    }
    seen
}
