//! What a config says of rotary positions.

/// Rotary positions (Su et al. 2021): each pair of channels of a head turns with a frequency of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Rotary {
    /// Base of the frequencies.
    pub theta: f64,
}

impl Rotary {
    /// The frequency of each of the D/2 pairs of a head, in radians a position: `theta^(-2i/D)` (equation 15).
    pub fn frequencies(&self, head_dim: usize) -> Vec<f64> {
        (0..head_dim / 2)
            .map(|i| self.theta.powf(-2.0 * i as f64 / head_dim as f64))
            .collect()
    }
}
