//! RMSNorm and its derivative, a workgroup a row.

use burn::backend::{TensorMetadata, tensor::FloatTensor};
use burn_cubecl::{CubeBackend, kernel::into_contiguous};
use cubecl::prelude::*;

use super::super::rms_norm::{RmsNorm, RmsNormGradients};
use super::rows::{THREADS, empty_like, row_of, sum_of_threads, workgroups};

impl RmsNorm for CubeBackend {
    fn rms_norm(x: FloatTensor<Self>, weight: FloatTensor<Self>, eps: f32) -> FloatTensor<Self> {
        let (x, weight) = (into_contiguous(x), into_contiguous(weight));
        let (rows, channels) = (x.shape()[0], x.shape()[1]);
        let result = empty_like(&x);
        // SAFETY: workgroup n touches row n of x and of the result, which have `rows` of them, and the weight has a value
        // a channel.
        unsafe {
            norm::launch_unchecked(
                &result.client,
                workgroups(rows),
                CubeDim::new_1d(THREADS),
                x.into_buffer_arg(),
                weight.into_buffer_arg(),
                result.clone().into_buffer_arg(),
                eps,
                rows,
                channels,
            );
        }
        result
    }
}

impl RmsNormGradients for CubeBackend {
    fn rms_norm_to_x(
        gradient: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        eps: f32,
    ) -> FloatTensor<Self> {
        let gradient = into_contiguous(gradient);
        let (x, weight) = (into_contiguous(x), into_contiguous(weight));
        let (rows, channels) = (x.shape()[0], x.shape()[1]);
        let result = empty_like(&x);
        // SAFETY: as above; the gradient has the result's shape.
        unsafe {
            norm_gradient::launch_unchecked(
                &result.client,
                workgroups(rows),
                CubeDim::new_1d(THREADS),
                gradient.into_buffer_arg(),
                x.into_buffer_arg(),
                weight.into_buffer_arg(),
                result.clone().into_buffer_arg(),
                eps,
                rows,
                channels,
            );
        }
        result
    }
}

#[cube(launch_unchecked)]
fn norm(x: &[f32], weight: &[f32], result: &mut [f32], eps: f32, rows: usize, channels: usize) {
    let start = row_of(rows) * channels;
    let mut shared = Shared::<[f32]>::new_slice(comptime!(THREADS as usize));
    let mut squares = 0.0f32;
    let mut channel = UNIT_POS as usize;
    while channel < channels {
        let value = x[start + channel];
        squares += value * value;
        channel += CUBE_DIM as usize;
    }
    let squares = sum_of_threads(squares, &mut shared, comptime!(THREADS as usize));
    let scale = 1.0 / f32::sqrt(squares / channels as f32 + eps);
    channel = UNIT_POS as usize;
    while channel < channels {
        result[start + channel] = x[start + channel] * scale * weight[channel];
        channel += CUBE_DIM as usize;
    }
}

#[cube(launch_unchecked)]
fn norm_gradient(
    gradient: &[f32],
    x: &[f32],
    weight: &[f32],
    result: &mut [f32],
    eps: f32,
    rows: usize,
    channels: usize,
) {
    let start = row_of(rows) * channels;
    let mut shared = Shared::<[f32]>::new_slice(comptime!(THREADS as usize));
    let mut squares = 0.0f32;
    let mut along = 0.0f32;
    let mut channel = UNIT_POS as usize;
    while channel < channels {
        let value = x[start + channel];
        squares += value * value;
        along += value * weight[channel] * gradient[start + channel];
        channel += CUBE_DIM as usize;
    }
    let squares = sum_of_threads(squares, &mut shared, comptime!(THREADS as usize));
    let along = sum_of_threads(along, &mut shared, comptime!(THREADS as usize));
    let scale = 1.0 / f32::sqrt(squares / channels as f32 + eps);
    let along = along * scale * scale * scale / channels as f32;
    channel = UNIT_POS as usize;
    while channel < channels {
        let place = start + channel;
        result[place] = scale * weight[channel] * gradient[place] - along * x[place];
        channel += CUBE_DIM as usize;
    }
}
