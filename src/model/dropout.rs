//! Dropout on the inputs of adapters.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Target;

/// The dropout of one step: the same elements for every run, so that runs differ only in their
/// optimizer, and the same on every machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Dropout {
    /// Share of elements set to 0.
    pub share: f64,
    /// Seed of the session.
    pub seed: u64,
    /// The step, counted from 0.
    pub step: u32,
    /// Which of the batch's examples the rows belong to: a part of a batch is given its part of the mask.
    pub examples: Range<usize>,
}

impl Dropout {
    /// The mask of one layer: 0 or 1 / (1 - share).
    ///
    /// # Shapes
    /// - `x`: [K·N, in], the examples of a run one after the other
    /// - result: [1, N, in]
    pub fn mask(&self, layer: usize, target: Target, x: &Tensor<2>, runs: usize) -> Tensor<3> {
        let [rows, inputs] = x.dims();
        let rows = rows / runs;
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        // The upper half keeps these streams apart from those that adapters begin with.
        random.set_stream((u64::from(self.step) + 1) << 32 | target.stream(layer));
        // Every element takes one random number of 64 bits, two words of the stream.
        let before = self.examples.start * (rows / self.examples.len().max(1));
        random.set_word_pos(2 * (before * inputs) as u128);
        let kept = (1.0 / (1.0 - self.share)) as f32;
        let mask: Vec<f32> = (0..rows * inputs)
            .map(|_| {
                if random.random_bool(self.share) {
                    0.0
                } else {
                    kept
                }
            })
            .collect();
        Tensor::from_data(
            TensorData::new(mask, [1, rows, inputs]),
            &x.device().inner(),
        )
    }
}
