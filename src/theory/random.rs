//! Gaussian numbers that are the same on every machine.

use nalgebra::DMatrix;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// One stream of a seed; what is drawn for one purpose does not move what is drawn for another.
pub struct Random(ChaCha8Rng);

impl Random {
    /// Stream `stream` of `seed`.
    pub fn new(seed: u32, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(u64::from(seed));
        random.set_stream(stream);
        Self(random)
    }

    /// Uniform in (0, 1), 53 bits; never 0, for a logarithm follows.
    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Mean 0, variance 1 (Box and Muller 1958). libm's functions, because the system's differ in
    /// their last bits from machine to machine.
    pub fn gaussian(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(self.uniform()));
        radius * libm::cos(2.0 * std::f64::consts::PI * self.uniform())
    }

    /// A matrix of such numbers, column by column.
    pub fn matrix(&mut self, rows: usize, columns: usize) -> DMatrix<f64> {
        DMatrix::from_fn(rows, columns, |_, _| self.gaussian())
    }

    /// Orthonormal columns [rows, columns], columns ≤ rows.
    pub fn orthonormal(&mut self, rows: usize, columns: usize) -> DMatrix<f64> {
        self.matrix(rows, columns).qr().q()
    }
}
