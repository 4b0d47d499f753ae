//! Rotary positions in the half-split form of HF's Llama.

use burn::tensor::{Device, Tensor, TensorData};

use crate::kernel::{Angles, rotate};

/// Cosines and sines of a stretch of positions.
#[derive(Debug, Clone)]
pub struct Rotation(Angles);

impl Rotation {
    /// The rotation of positions `first .. first + tokens`, pair i with `frequencies[i]`.
    ///
    /// Angles are computed in f64: an f32 product of a late position and a frequency loses digits.
    pub fn new(first: usize, tokens: usize, frequencies: &[f64], device: &Device) -> Self {
        let table = |function: fn(f64) -> f64| {
            let values: Vec<f32> = (first..first + tokens)
                .flat_map(|position| {
                    let angles = frequencies.iter().map(move |f| position as f64 * f);
                    angles.map(move |angle| function(angle) as f32)
                })
                .collect();
            Tensor::from_data(TensorData::new(values, [tokens, frequencies.len()]), device)
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
