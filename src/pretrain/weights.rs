//! All weights of a Llama, to be trained.

use burn::tensor::{Device, Tensor};

use super::weight::{Start, Weight, to_f16, tracked};
use crate::model::{
    Base, ConfigError, Held, ModelConfig,
    architecture::{LLAMA, Place, Projection},
    walk::{self, Role},
};
use crate::train::SessionError;

/// Standard deviation of fresh weights, as HF's `initializer_range` of Llama.
const INITIAL_DEVIATION: f64 = 0.02;

/// All weights of a Llama in the order of a forward pass.
#[derive(Debug, Clone)]
pub struct Weights {
    /// Its shape.
    pub config: ModelConfig,
    /// Where the weights are.
    pub device: Device,
    pub(super) weights: Vec<Weight>,
}

impl Weights {
    /// Fresh weights: matrices uniform with a standard deviation of 0.02, norms 1. Those that write
    /// into the residual stream are smaller by √(2L), so that its size does not grow with the depth
    /// (Radford et al. 2019, section 2.3). Each weight draws from a ChaCha8 stream of its own.
    ///
    /// # Errors
    /// A shape that is out of range, or that is no Llama's.
    pub fn new(config: &ModelConfig, seed: u64, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        if config.architecture != &LLAMA {
            return Err(ConfigError {
                field: "model_type",
                value: config.architecture.model_type.to_owned(),
                expected: "only a llama can be pretrained",
            });
        }
        let residual = (2.0 * config.num_hidden_layers as f64).sqrt();
        let weights = walk::weights(config).zip(0..).map(|(weight, stream)| {
            let writes = matches!(
                weight.role,
                Role::Block(
                    _,
                    Place::Linear(Projection::AttentionOutput | Projection::Down),
                    _
                )
            );
            let start = match weight.shape.len() {
                1 => Start::Constant(1.0),
                _ if writes => Start::Uniform(INITIAL_DEVIATION / residual),
                _ => Start::Uniform(INITIAL_DEVIATION),
            };
            Weight::new(weight.name, weight.shape, start, (seed, stream), device)
        });
        Ok(Self {
            weights: weights.collect(),
            config: config.clone(),
            device: device.clone(),
        })
    }

    /// The values as leaves of a new autodiff graph.
    pub(super) fn tracked(&self) -> Self {
        Self {
            weights: tracked(&self.weights),
            ..self.clone()
        }
    }

    /// A base that computes with these weights.
    ///
    /// # Panics
    /// Never: they are those of the walk that makes them.
    pub fn base(&self) -> Base {
        let held = self.weights.iter().map(|weight| {
            let value: Tensor<2> = weight.value.clone().squeeze_dim(0);
            match weight.is_matrix() {
                true => Held::Matrix(value.into()),
                false => Held::Vector(value.squeeze_dim(0)),
            }
        });
        match Base::assemble(self.config.clone(), &self.device, held) {
            Ok(base) => base,
            Err(error) => unreachable!("{error}"),
        }
    }

    /// `model.safetensors` with all weights as f16, under HF's names.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn to_safetensors(&self) -> Result<Vec<u8>, SessionError> {
        Ok(to_f16(&self.weights).await?)
    }
}
