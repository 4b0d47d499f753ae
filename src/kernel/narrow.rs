//! A product of very few rows, as in sampling: each weight is read once, and ordering panels would
//! cost more than it saves.

use super::blocked::Weight;

/// Sums side by side: enough for vectors, and for the latency of an addition.
const LANES: usize = 16;

/// `x · Wᵀ`: [N, in] to [N, out].
pub fn product(x: &[f32], rows: usize, weight: Weight<'_>) -> Vec<f32> {
    let mut result = vec![0.0; rows * weight.outputs];
    for (output, values) in weight.values.chunks_exact(weight.inputs).enumerate() {
        for (row, x) in x.chunks_exact(weight.inputs).enumerate() {
            result[row * weight.outputs + output] = dot(x, values);
        }
    }
    result
}

fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    for (left, right) in left.iter().zip(right) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += left * right;
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(l, r)| l * r).sum();
    sums.iter().sum::<f32>() + rest
}
