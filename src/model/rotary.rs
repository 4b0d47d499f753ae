//! What a config says of rotary positions.

use std::f64::consts::TAU;

/// Rotary positions (Su et al. 2021): pairs of channels of a head turn, each with a frequency of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Rotary {
    /// Base of the frequencies.
    pub theta: f64,
    /// Share of a head's channels that turn, the first ones.
    pub share: f64,
    /// What the frequencies were changed by for longer texts than those of pretraining.
    pub scaling: RotaryScaling,
}

/// How frequencies are changed for longer texts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RotaryScaling {
    /// They are not.
    None,
    /// All are divided by this factor.
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// As Llama 3.1: low ones are divided, high ones kept, and those between blended.
    Llama3 {
        /// The divisor of the low ones.
        factor: f64,
        /// Low are those that turn less often than this in `positions`.
        low_frequency: f64,
        /// High are those that turn more often than this in `positions`.
        high_frequency: f64,
        /// Longest sequence of pretraining.
        positions: f64,
    },
}

impl Rotary {
    /// All channels turn, by frequencies that nothing changes.
    pub fn plain(theta: f64) -> Self {
        Self {
            theta,
            share: 1.0,
            scaling: RotaryScaling::None,
        }
    }

    /// How many of the D channels of a head turn.
    pub fn turned(&self, head_dim: usize) -> usize {
        // A share that was a quotient may fall short of a whole number by its last bit.
        (head_dim as f64 * self.share + 1e-6) as usize
    }

    /// The frequency of each pair of the R channels that turn, in radians a position: `theta^(-2i/R)` (equation 15), scaled.
    pub fn frequencies(&self, head_dim: usize) -> Vec<f64> {
        let turned = self.turned(head_dim);
        (0..turned / 2)
            .map(|i| self.theta.powf(-2.0 * i as f64 / turned as f64))
            .map(|frequency| self.scaling.of(frequency))
            .collect()
    }
}

impl RotaryScaling {
    fn of(self, frequency: f64) -> f64 {
        match self {
            Self::None => frequency,
            Self::Linear { factor } => frequency / factor,
            Self::Llama3 {
                factor,
                low_frequency,
                high_frequency,
                positions,
            } => {
                let turns = positions * frequency / TAU;
                if turns > high_frequency {
                    return frequency;
                }
                if turns < low_frequency {
                    return frequency / factor;
                }
                let kept = (turns - low_frequency) / (high_frequency - low_frequency);
                (1.0 - kept) * frequency / factor + kept * frequency
            }
        }
    }

    /// Llama 3's scaling from the divisors of `frequencies` that GGUF files have instead of it.
    ///
    /// All known models call low what turns less than once, and high what turns more than four times, in a power of two of
    /// positions. `None` for divisors that no such scaling has.
    pub fn from_divisors(frequencies: &[f64], divisors: &[f32]) -> Option<Self> {
        let factor = f64::from(divisors.iter().copied().fold(1.0, f32::max));
        if factor == 1.0 {
            return Some(Self::None);
        }
        (4..=24)
            .map(|power| f64::from(1 << power))
            .find_map(|positions| {
                let scaling = Self::Llama3 {
                    factor,
                    low_frequency: 1.0,
                    high_frequency: 4.0,
                    positions,
                };
                let mut pairs = frequencies.iter().zip(divisors);
                let fits = pairs.all(|(&frequency, &divisor)| {
                    let expected = frequency / scaling.of(frequency);
                    (expected - f64::from(divisor)).abs() < 1e-5 * expected
                });
                fits.then_some(scaling)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Llama 3.2 1B: 15 frequencies are kept, three blended, 14 divided by 32.
    #[test]
    fn llama_3_scales_its_low_frequencies() {
        let plain = Rotary::plain(500_000.0);
        let scaling = RotaryScaling::Llama3 {
            factor: 32.0,
            low_frequency: 1.0,
            high_frequency: 4.0,
            positions: 8192.0,
        };
        let scaled = Rotary {
            scaling,
            ..plain.clone()
        };
        let frequencies = plain.frequencies(64);
        let divisors: Vec<f32> = frequencies
            .iter()
            .zip(scaled.frequencies(64))
            .map(|(plain, scaled)| (plain / scaled) as f32)
            .collect();
        assert_eq!(divisors[..15], [1.0; 15]);
        for (found, expected) in divisors[15..18].iter().zip([1.6513, 3.2923, 9.6667]) {
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
        assert_eq!(divisors[18..], [32.0; 14]);
        assert_eq!(
            RotaryScaling::from_divisors(&frequencies, &divisors),
            Some(scaling)
        );
        assert_eq!(
            RotaryScaling::from_divisors(&frequencies, &[1.0; 32]),
            Some(RotaryScaling::None)
        );
        let other: Vec<f32> = (0..32).map(|i| 1.0 + i as f32).collect();
        assert_eq!(RotaryScaling::from_divisors(&frequencies, &other), None);
    }

    #[test]
    fn a_share_of_the_channels_turns() {
        let quarter = Rotary {
            share: 0.25,
            ..Rotary::plain(10_000.0)
        };
        assert_eq!(quarter.turned(16), 4);
        assert_eq!(quarter.frequencies(16), [1.0, 0.01]);
    }
}
