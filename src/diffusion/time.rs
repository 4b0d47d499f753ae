//! The time of a noisy picture as a vector.

use burn::tensor::{Device, Tensor, TensorData, activation::silu};

/// Times are 0 to 1; the wave lengths below were made for 0 to 1000.
const TIME_SCALE: f64 = 1000.0;
/// The longest wave is so many times longer than the shortest.
const WAVE_LENGTHS: f64 = 10_000.0;

/// Cosines, then sines, of `1000 · t · 10000^(-i / (C/2))` (Vaswani et al., arXiv 1706.03762; as diffusion models order
/// them since Ho et al., arXiv 2006.11239).
///
/// # Shapes
/// - `times`: [S], from 0, the picture, to 1, noise alone
/// - result: [S, C]
pub fn waves(times: &[f64], channels: usize, device: &Device) -> Tensor<2> {
    let half = channels / 2;
    let values: Vec<f32> = times
        .iter()
        .flat_map(|time| {
            let angle = move |index: usize| {
                let length = libm::pow(WAVE_LENGTHS, -(index as f64) / half as f64);
                TIME_SCALE * time * length
            };
            let cosines = (0..half).map(move |index| libm::cos(angle(index)) as f32);
            cosines.chain((0..half).map(move |index| libm::sin(angle(index)) as f32))
        })
        .collect();
    Tensor::from_data(TensorData::new(values, [times.len(), channels]), device)
}

/// Two layers on the waves.
#[derive(Debug, Clone)]
pub struct TimeEmbedding {
    /// [C, C].
    pub first: Tensor<2>,
    /// [C].
    pub first_bias: Tensor<1>,
    /// [C, C].
    pub second: Tensor<2>,
    /// [C].
    pub second_bias: Tensor<1>,
}

impl TimeEmbedding {
    /// # Shapes
    /// - `waves`: [S, C], result the same
    pub(super) fn forward(&self, waves: Tensor<2>) -> Tensor<2> {
        let hidden = waves.matmul(self.first.clone().transpose());
        let hidden = silu(hidden + self.first_bias.clone().unsqueeze::<2>());
        hidden.matmul(self.second.clone().transpose()) + self.second_bias.clone().unsqueeze::<2>()
    }
}
