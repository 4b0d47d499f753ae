//! Rotary positions in the half-split form of HF's Llama.

use burn::tensor::{Device, Tensor};

/// Cosines and sines of a stretch of positions.
#[derive(Debug, Clone)]
pub struct Rotation {
    #[cfg(not(feature = "webgpu"))]
    angles: std::sync::Arc<crate::kernel::Angles>,
    #[cfg(feature = "webgpu")]
    cos: Tensor<4>, // [1, T, 1, D/2]
    #[cfg(feature = "webgpu")]
    sin: Tensor<4>,
}

impl Rotation {
    /// The rotation of positions `first .. first + tokens`.
    ///
    /// Frequency i of D/2 is `theta^(-2i/D)` (Su et al. 2021, equation 15). Angles are computed in
    /// f64: an f32 product of a late position and a frequency loses digits.
    #[cfg_attr(
        not(feature = "webgpu"),
        expect(unused_variables, reason = "on the CPU the angles are no tensors")
    )]
    pub fn new(first: usize, tokens: usize, head_dim: usize, theta: f64, device: &Device) -> Self {
        let half = head_dim / 2;
        let table = |function: fn(f64) -> f64| -> Vec<f32> {
            (first..first + tokens)
                .flat_map(|position| {
                    (0..half).map(move |i| {
                        let frequency = theta.powf(-2.0 * i as f64 / head_dim as f64);
                        function(position as f64 * frequency) as f32
                    })
                })
                .collect()
        };
        let (cos, sin) = (table(f64::cos), table(f64::sin));
        #[cfg(not(feature = "webgpu"))]
        return Self {
            angles: crate::kernel::Angles { cos, sin }.into(),
        };
        #[cfg(feature = "webgpu")]
        {
            let tensor = |values| {
                let data = burn::tensor::TensorData::new(values, [1, tokens, 1, half]);
                Tensor::from_data(data, device)
            };
            Self {
                cos: tensor(cos),
                sin: tensor(sin),
            }
        }
    }

    /// Turns each pair (i, i + D/2) of a head by its position's angle.
    ///
    /// # Shapes
    /// - `x`: [S, T, H, D], result the same
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        #[cfg(not(feature = "webgpu"))]
        return crate::kernel::rotate(x, &self.angles);
        #[cfg(feature = "webgpu")]
        {
            let half = x.dims()[3] / 2;
            let first = x.clone().narrow(3, 0, half);
            let second = x.narrow(3, half, half);
            let (cos, sin) = (&self.cos, &self.sin);
            Tensor::cat(
                vec![
                    first.clone() * cos.clone() - second.clone() * sin.clone(),
                    second * cos.clone() + first * sin.clone(),
                ],
                3,
            )
        }
    }
}
