//! Cross entropy and its derivative, a workgroup a row.

use burn::backend::{
    TensorMetadata,
    tensor::{FloatTensor, IntTensor},
};
use burn::tensor::Shape;
use burn_cubecl::{
    CubeBackend, kernel::into_contiguous, ops::numeric::empty_device_contiguous_dtype,
};
use cubecl::prelude::*;

use super::super::cross_entropy::CrossEntropy;
use super::room::lasting_rows;
use super::rows::{exponentials_of_row, largest_of_row, row_of, workgroups};

/// Threads of a workgroup: a row is a vocabulary, so there is work for as many as every adapter allows.
const THREADS: u32 = 256;

impl CrossEntropy for CubeBackend {
    fn cross_entropy(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, targets) = (into_contiguous(logits), into_contiguous(targets));
        let (rows, width) = (logits.shape()[0], logits.shape()[1]);
        let derivative = lasting_rows(&logits, rows, width);
        let losses = empty_device_contiguous_dtype(
            logits.client.clone(),
            logits.device.clone(),
            Shape::new([rows]),
            logits.dtype,
        );
        // SAFETY: workgroup n touches row n of the logits and of the derivative, which have `rows` of them, of `width`
        // values, and element n of targets and losses.
        unsafe {
            cross_entropy::launch_unchecked(
                &derivative.client,
                workgroups(rows),
                CubeDim::new_1d(THREADS),
                logits.into_buffer_arg(),
                targets.into_buffer_arg(),
                losses.clone().into_buffer_arg(),
                derivative.clone().into_buffer_arg(),
                rows,
                width,
            );
        }
        (losses, derivative)
    }

    fn cross_entropy_losses(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        let (logits, targets) = (into_contiguous(logits), into_contiguous(targets));
        let (rows, width) = (logits.shape()[0], logits.shape()[1]);
        let losses = empty_device_contiguous_dtype(
            logits.client.clone(),
            logits.device.clone(),
            Shape::new([rows]),
            logits.dtype,
        );
        // SAFETY: workgroup n touches row n of the logits, which have `rows` of them, of `width` values, and element n of
        // targets and losses.
        unsafe {
            losses_of_rows::launch_unchecked(
                &losses.client,
                workgroups(rows),
                CubeDim::new_1d(THREADS),
                logits.into_buffer_arg(),
                targets.into_buffer_arg(),
                losses.clone().into_buffer_arg(),
                rows,
                width,
            );
        }
        losses
    }
}

/// As [`cross_entropy`], without the derivative.
#[cube(launch_unchecked)]
fn losses_of_rows(logits: &[f32], targets: &[u32], losses: &mut [f32], rows: usize, width: usize) {
    let row = row_of(rows);
    let start = row * width;
    let mut shared = Shared::<[f32]>::new_slice(comptime!(THREADS as usize));
    let threads = comptime!(THREADS as usize);
    let largest = largest_of_row(logits, start, width, &mut shared, threads);
    let sum = exponentials_of_row(logits, start, width, largest, &mut shared, threads);
    let target = targets[row] as usize;
    if UNIT_POS == 0 {
        losses[row] = f32::ln(sum) - (logits[start + target] - largest);
    }
}

#[cube(launch_unchecked)]
fn cross_entropy(
    logits: &[f32],
    targets: &[u32],
    losses: &mut [f32],
    derivative: &mut [f32],
    rows: usize,
    width: usize,
) {
    let row = row_of(rows);
    let start = row * width;
    let mut shared = Shared::<[f32]>::new_slice(comptime!(THREADS as usize));
    let threads = comptime!(THREADS as usize);
    let largest = largest_of_row(logits, start, width, &mut shared, threads);
    let sum = exponentials_of_row(logits, start, width, largest, &mut shared, threads);
    let target = targets[row] as usize;
    let mut place = UNIT_POS as usize;
    while place < width {
        let mut change = f32::exp(logits[start + place] - largest) / sum;
        if place == target {
            change -= 1.0;
        }
        derivative[start + place] = change;
        place += CUBE_DIM as usize;
    }
    if UNIT_POS == 0 {
        losses[row] = f32::ln(sum) - (logits[start + target] - largest);
    }
}
