//! What kernels share that take a row a workgroup, or an element a thread.

use burn_cubecl::{ops::numeric::empty_device_contiguous_dtype, tensor::CubeTensor};
use cubecl::prelude::*;

/// Threads of a workgroup that works on a row.
pub const THREADS: u32 = 32;
/// Workgroups of one dimension that every WebGPU adapter launches.
pub const MOST_WORKGROUPS: usize = 65_535;

/// A fresh tensor, row by row in memory, of `like`'s shape.
pub fn empty_like(like: &CubeTensor) -> CubeTensor {
    let (client, device) = (like.client.clone(), like.device.clone());
    empty_device_contiguous_dtype(client, device, like.meta.shape().clone(), like.dtype)
}

/// A workgroup for each of `rows`; where they are more than fit into one dimension, some to spare.
pub fn workgroups(rows: usize) -> CubeCount {
    let across = rows.clamp(1, MOST_WORKGROUPS);
    CubeCount::Static(across as u32, rows.div_ceil(across) as u32, 1)
}

/// The row of this workgroup. Those to spare write once more what the last one writes: a workgroup that ended early would
/// not be allowed to wait for its threads.
#[cube]
pub fn row_of(rows: usize) -> usize {
    let mut row = CUBE_POS;
    if row >= rows {
        row = rows - 1;
    }
    row
}

/// Σ of what all threads of the workgroup have. `shared` has a place for each, and is free for use after.
///
/// Every thread adds up all of it: waiting costs more than adding, and adding in one order gives all the same.
#[cube]
#[allow(clippy::needless_range_loop, reason = "kernels know no iterators")]
pub fn sum_of_threads(mine: f32, shared: &mut [f32], #[comptime] threads: usize) -> f32 {
    shared[UNIT_POS as usize] = mine;
    sync_cube();
    let mut sum = 0.0f32;
    for thread in 0..threads {
        sum += shared[thread];
    }
    sync_cube();
    sum
}

/// The largest of what all threads of the workgroup have, as [`sum_of_threads`].
#[cube]
#[allow(clippy::needless_range_loop, reason = "kernels know no iterators")]
fn largest_of_threads(mine: f32, shared: &mut [f32], #[comptime] threads: usize) -> f32 {
    shared[UNIT_POS as usize] = mine;
    sync_cube();
    let mut largest = mine;
    for thread in 0..threads {
        let other = shared[thread];
        if other > largest {
            largest = other;
        }
    }
    sync_cube();
    largest
}

/// The largest of the values `start .. start + count`, which are at least one, as [`sum_of_threads`].
#[cube]
pub fn largest_of_row(
    values: &[f32],
    start: usize,
    count: usize,
    shared: &mut [f32],
    #[comptime] threads: usize,
) -> f32 {
    let mut largest = values[start];
    let mut place = UNIT_POS as usize;
    while place < count {
        let value = values[start + place];
        if value > largest {
            largest = value;
        }
        place += CUBE_DIM as usize;
    }
    largest_of_threads(largest, shared, threads)
}

/// Σ exp(value − largest) of the values `start .. start + count`, as [`sum_of_threads`].
#[cube]
pub fn exponentials_of_row(
    values: &[f32],
    start: usize,
    count: usize,
    largest: f32,
    shared: &mut [f32],
    #[comptime] threads: usize,
) -> f32 {
    let mut sum = 0.0f32;
    let mut place = UNIT_POS as usize;
    while place < count {
        sum += f32::exp(values[start + place] - largest);
        place += CUBE_DIM as usize;
    }
    sum_of_threads(sum, shared, threads)
}
