//! Rotary positions in the half-split form of HF's Llama.

use burn::tensor::{Device, Tensor, TensorData};

use crate::kernel::{Angles, rotate};

/// Cosines and sines of the positions of some tokens.
#[derive(Debug, Clone)]
pub struct Rotation {
    angles: Angles,
    /// Channels of a head that turn.
    turned: usize,
}

impl Rotation {
    /// The rotation of tokens at these positions, pair i with `frequencies[i]`.
    ///
    /// Angles are computed in f64: an f32 product of a late position and a frequency loses digits.
    pub fn new(positions: &[usize], frequencies: &[f64], device: &Device) -> Self {
        let table = |function: fn(f64) -> f64| {
            let values: Vec<f32> = positions
                .iter()
                .flat_map(|&position| {
                    let angles = frequencies.iter().map(move |f| position as f64 * f);
                    angles.map(move |angle| function(angle) as f32)
                })
                .collect();
            Tensor::from_data(
                TensorData::new(values, [positions.len(), frequencies.len()]),
                device,
            )
        };
        Self {
            angles: Angles {
                cos: table(f64::cos),
                sin: table(f64::sin),
            },
            turned: 2 * frequencies.len(),
        }
    }

    /// Turns each pair (i, i + R/2) of the first R channels of a head by its position's angle.
    ///
    /// # Shapes
    /// - `x`: [S, T, H, D], result the same
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        let width = x.dims()[3];
        if self.turned == width {
            return rotate(x, &self.angles);
        }
        let turned = rotate(x.clone().narrow(3, 0, self.turned), &self.angles);
        let kept = x.narrow(3, self.turned, width - self.turned);
        Tensor::cat(vec![turned, kept], 3)
    }
}
