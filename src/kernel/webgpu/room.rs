//! Memory for what is large and short-lived, and made anew by every step.
//!
//! In burn's pool a free page serves any smaller tensor too. Activations would take the pages of what is large, and hold
//! them until the backward pass, while the next large tensor is given a fresh page. So these have pages of their own, each
//! for tensors of one size, which wait for the next step's tensor of that size and are never given back.

use burn::tensor::{DType, Shape};
use burn_cubecl::{ops::numeric::empty_device_contiguous_dtype, tensor::CubeTensor};

/// Room on the device of `near` for `shape`, row by row: where an earlier tensor of this size was, if it is no longer
/// needed, else on a page of its own.
pub fn lasting(near: &CubeTensor, shape: Shape, dtype: DType) -> CubeTensor {
    near.client.memory_persistent_allocation(shape, |shape| {
        empty_device_contiguous_dtype(near.client.clone(), near.device.clone(), shape, dtype)
    })
}

/// As [`lasting`] for [rows, width], where rows differ from call to call: pages are for powers of two, so that a few sizes
/// serve all of them.
pub fn lasting_rows(near: &CubeTensor, rows: usize, width: usize) -> CubeTensor {
    let shape = Shape::new([rows.next_power_of_two(), width]);
    first_rows(lasting(near, shape, near.dtype), rows)
}

/// The first `rows` rows of a matrix that lies row by row.
pub fn first_rows(matrix: CubeTensor, rows: usize) -> CubeTensor {
    let shape = Shape::new([rows, matrix.meta.shape()[1]]);
    CubeTensor::new_contiguous(
        matrix.client,
        matrix.device,
        shape,
        matrix.handle,
        matrix.dtype,
    )
}
