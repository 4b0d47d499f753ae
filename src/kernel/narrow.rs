//! A product of very few rows, as in sampling: each weight is read once, and ordering panels would
//! cost more than it saves. It sums in another order than [`super::blocked`], so the last bits differ.

use super::Matrix;

/// Sums side by side: enough for vectors, and for the latency of an addition.
const LANES: usize = 16;

/// Most rows that are few.
pub const ROWS: usize = 3;

/// `x · Wᵀ`: [N, in] to [N, out].
pub fn product(x: &[f32], weight: &Matrix) -> Vec<f32> {
    let (outputs, inputs) = (weight.outputs(), weight.inputs());
    let mut result = vec![0.0; x.len() / inputs * outputs];
    let mut values = vec![0.0; inputs];
    for output in 0..outputs {
        weight.read(output, 0, &mut values);
        for (row, x) in x.chunks_exact(inputs).enumerate() {
            result[row * outputs + output] = dot(x, &values);
        }
    }
    result
}

fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    for (left, right) in left.iter().zip(right) {
        for lane in 0..LANES {
            sums[lane] += left[lane] * right[lane];
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(l, r)| l * r).sum();
    sums.iter().sum::<f32>() + rest
}
