//! A product of very few rows, as in sampling: each weight is read once, and ordering panels would
//! cost more than it saves. It sums in another order than [`super::blocked`], so the last bits differ.

use super::{Matrix, sums::dot};

/// Sums side by side: enough for vectors, and for the latency of an addition.
const LANES: usize = 16;

/// Most rows that are few.
pub const MOST_ROWS: usize = 3;

/// `x · Wᵀ`: [N, in] to [N, out].
pub fn product(x: &[f32], weight: &Matrix) -> Vec<f32> {
    let (outputs, inputs) = (weight.outputs(), weight.inputs());
    let mut result = vec![0.0; x.len() / inputs * outputs];
    let mut values = vec![0.0; inputs];
    for output in 0..outputs {
        weight.read(output, 0, &mut values);
        for (row, x) in x.chunks_exact(inputs).enumerate() {
            result[row * outputs + output] = dot::<LANES>(x, &values);
        }
    }
    result
}
