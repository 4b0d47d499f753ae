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
    /// Where rows lie that are not all of those examples'.
    pub places: Option<Places>,
}

/// Rows of some examples that are computed, and others are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Rows of an example, whether they are computed or not.
    pub of_example: usize,
    /// Rows that are, counted from the first example on, in order.
    pub computed: Vec<Range<usize>>,
}

impl Places {
    /// How many are computed.
    pub fn count(&self) -> usize {
        self.computed.iter().map(ExactSizeIterator::len).sum()
    }
}

impl Dropout {
    /// The mask of one layer: 0 or 1 / (1 - share). A row has the same, whichever of its neighbours are computed.
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
        let kept = (1.0 / (1.0 - self.share)) as f32;
        let mut mask = Vec::with_capacity(rows * inputs);
        let mut draw = |rows: Range<usize>| {
            // Every element takes one random number of 64 bits, two words of the stream.
            random.set_word_pos(2 * (rows.start * inputs) as u128);
            mask.extend(
                (0..rows.len() * inputs).map(|_| match random.random_bool(self.share) {
                    true => 0.0,
                    false => kept,
                }),
            );
        };
        match &self.places {
            None => {
                let before = self.examples.start * (rows / self.examples.len().max(1));
                draw(before..before + rows);
            }
            Some(places) => {
                let before = self.examples.start * places.of_example;
                for rows in &places.computed {
                    draw(before + rows.start..before + rows.end);
                }
            }
        }
        // Rows that fill up belong to no example.
        mask.resize(rows * inputs, 0.0);
        Tensor::from_data(
            TensorData::new(mask, [1, rows, inputs]),
            &x.device().inner(),
        )
    }
}

#[cfg(all(test, not(feature = "webgpu")))]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn mask(rows: usize, examples: Range<usize>, places: Option<Places>) -> Vec<f32> {
        let dropout = Dropout {
            share: 0.3,
            seed: 7,
            step: 2,
            examples,
            places,
        };
        let x = Tensor::<2>::zeros([2 * rows, 5], &Device::flex());
        let mask = dropout.mask(1, Target::QProj, &x, 2).into_data();
        mask.iter::<f32>().collect()
    }

    #[test]
    fn a_row_has_its_mask_whichever_others_are_computed() {
        // Four examples of three rows of five values.
        let whole = mask(12, 0..4, None);
        assert!(whole.contains(&0.0) && whole.iter().any(|kept| (kept - 1.0 / 0.7).abs() < 1e-6));
        let of_rows = |rows: Range<usize>| whole[rows.start * 5..rows.end * 5].to_vec();
        assert_eq!(mask(6, 2..4, None), of_rows(6..12));
        let places = Places {
            of_example: 3,
            computed: vec![0..2, 3..4],
        };
        assert_eq!(places.count(), 3);
        // Of the last two examples two rows and one, and a row that fills up.
        let expected = [of_rows(6..8), of_rows(9..10), vec![0.0; 5]].concat();
        assert_eq!(mask(4, 2..4, Some(places)), expected);
    }
}
