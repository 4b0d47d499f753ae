//! Random numbers that are the same on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Standard normal and uniform numbers out of one ChaCha8 stream.
#[derive(Debug)]
pub struct Noise {
    random: ChaCha8Rng,
    /// The second number of a pair that has been drawn.
    kept: Option<f64>,
}

impl Noise {
    /// The numbers of `stream` under `seed`.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        Self { random, kept: None }
    }

    /// Uniform in (0, 1].
    pub fn uniform(&mut self) -> f64 {
        // The 53 upper bits are what a double holds.
        let bits = (self.random.next_u64() >> 11) + 1;
        bits as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal, by Box and Muller's transform. With libm's functions: those of systems and browsers differ in the
    /// last bit.
    pub fn normal(&mut self) -> f64 {
        if let Some(kept) = self.kept.take() {
            return kept;
        }
        let radius = (-2.0 * libm::log(self.uniform())).sqrt();
        let angle = std::f64::consts::TAU * self.uniform();
        self.kept = Some(radius * libm::sin(angle));
        radius * libm::cos(angle)
    }

    /// `count` standard normal numbers.
    pub fn normals(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.normal() as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_standard_normal() {
        let values: Vec<f64> = {
            let mut noise = Noise::new(1, 2);
            (0..40_000).map(|_| noise.normal()).collect()
        };
        let moment = |power: i32| values.iter().map(|v| v.powi(power)).sum::<f64>() / 40_000.0;
        // Four standard errors: 4/200, 4·√2/200, 4·√15/200 and 4·√96/200.
        assert!(moment(1).abs() < 0.02, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.029, "{}", moment(2));
        assert!(moment(3).abs() < 0.078, "{}", moment(3));
        assert!((moment(4) - 3.0).abs() < 0.2, "{}", moment(4));
    }

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |seed, stream| Noise::new(seed, stream).normals(3);
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
        assert_ne!(draw(1, 1), draw(2, 1));
    }
}
