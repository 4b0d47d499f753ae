//! Choices from a seed.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Files;

/// A stream of choices.
pub struct Random(ChaCha8Rng);

impl Random {
    /// The choices of case `index` of `seed`.
    pub fn new(seed: u64, index: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(index);
        Self(random)
    }

    /// Choices that follow from a case's contents, so that a kept case is used as it was when it was drawn.
    pub fn of(files: &Files) -> Self {
        let bytes = files.iter().flat_map(|(_, bytes)| bytes);
        let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self::new(bytes.fold(0xcbf2_9ce4_8422_2325, mix), 0)
    }

    /// A number below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        match bound {
            0 => 0,
            _ => self.0.random_range(0..bound),
        }
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of `all`.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// One of `all`.
    pub fn text<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    pub fn byte(&mut self) -> u8 {
        self.0.random()
    }

    pub fn word(&mut self) -> u64 {
        self.0.random()
    }
}
