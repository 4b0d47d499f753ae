//! Rotary positions, a thread a pair.

use burn::backend::{TensorMetadata, tensor::FloatTensor};
use burn_cubecl::{CubeBackend, kernel::into_contiguous};
use cubecl::{calculate_cube_count_elemwise, prelude::*};

use super::super::rotate::Rotate;
use super::rows::empty_like;

impl Rotate for CubeBackend {
    fn rotate(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        back: bool,
    ) -> FloatTensor<Self> {
        let (x, cos, sin) = (
            into_contiguous(x),
            into_contiguous(cos),
            into_contiguous(sin),
        );
        let shape = x.shape();
        let (tokens, heads, half) = (shape[1], shape[2], shape[3] / 2);
        let result = empty_like(&x);
        let pairs = shape.num_elements() / 2;
        let threads = CubeDim::new(&result.client, pairs);
        let direction = if back { -1.0f32 } else { 1.0 };
        // SAFETY: x and the result have two elements a pair, and no thread touches another's; an angle is of one of
        // `tokens` positions and `half` pairs.
        unsafe {
            turn::launch_unchecked(
                &result.client,
                calculate_cube_count_elemwise(&result.client, pairs, threads),
                threads,
                x.into_buffer_arg(),
                cos.into_buffer_arg(),
                sin.into_buffer_arg(),
                result.clone().into_buffer_arg(),
                direction,
                pairs,
                tokens,
                heads,
                half,
            );
        }
        result
    }
}

#[cube(launch_unchecked)]
fn turn(
    x: &[f32],
    cos: &[f32],
    sin: &[f32],
    result: &mut [f32],
    direction: f32,
    pairs: usize,
    tokens: usize,
    heads: usize,
    half: usize,
) {
    let pair = ABSOLUTE_POS;
    if pair < pairs {
        let head = pair / half;
        let index = pair % half;
        let angle = head / heads % tokens * half + index;
        let first = head * 2 * half + index;
        let second = first + half;
        let (cos, sin) = (cos[angle], sin[angle] * direction);
        let (one, other) = (x[first], x[second]);
        result[first] = one * cos - other * sin;
        result[second] = other * cos + one * sin;
    }
}
