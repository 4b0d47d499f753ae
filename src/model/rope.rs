//! Rotary positions in the half-split form of HF's Llama.

use burn::tensor::{Device, Tensor, TensorData};

use crate::kernel::{Angles, rotate};

/// Cosines and sines of a stretch of positions.
#[derive(Debug, Clone)]
pub struct Rotation(Angles);

impl Rotation {
    /// The rotation of positions `first .. first + tokens`.
    ///
    /// Frequency i of D/2 is `theta^(-2i/D)` (Su et al. 2021, equation 15). Angles are computed in
    /// f64: an f32 product of a late position and a frequency loses digits.
    pub fn new(first: usize, tokens: usize, head_dim: usize, theta: f64, device: &Device) -> Self {
        let half = head_dim / 2;
        let table = |function: fn(f64) -> f64| {
            let values: Vec<f32> = (first..first + tokens)
                .flat_map(|position| {
                    (0..half).map(move |i| {
                        let frequency = theta.powf(-2.0 * i as f64 / head_dim as f64);
                        function(position as f64 * frequency) as f32
                    })
                })
                .collect();
            Tensor::from_data(TensorData::new(values, [tokens, half]), device)
        };
        Self(Angles {
            cos: table(f64::cos),
            sin: table(f64::sin),
        })
    }

    /// Turns each pair (i, i + D/2) of a head by its position's angle.
    ///
    /// # Shapes
    /// - `x`: [S, T, H, D], result the same
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        rotate(x, &self.0)
    }
}
