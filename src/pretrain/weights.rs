//! All weights of a Llama, to be trained.

use burn::tensor::Device;

use super::weight::{ByName, Start, Weight, to_f16, tracked};
use crate::load::layout::needed_tensors;
use crate::model::{
    Architecture, Base, Body, ConfigError, FrozenWeight, Llama, LlamaBlock, LlamaConfig,
    ModelConfig, Target,
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
    llama: LlamaConfig,
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
        let Architecture::Llama(llama) = &config.architecture else {
            return Err(ConfigError {
                field: "model_type",
                value: config.architecture.model_type().to_owned(),
                expected: "only a llama can be pretrained",
            });
        };
        let residual = (2.0 * config.num_hidden_layers as f64).sqrt();
        let weights = needed_tensors(config).zip(0..).map(|(tensor, stream)| {
            let writes = ["o_proj", "down_proj"]
                .iter()
                .any(|module| tensor.name.contains(module));
            let start = match tensor.shape.len() {
                1 => Start::Constant(1.0),
                _ if writes => Start::Uniform(INITIAL_DEVIATION / residual),
                _ => Start::Uniform(INITIAL_DEVIATION),
            };
            Weight::new(tensor.name, tensor.shape, start, (seed, stream), device)
        });
        Ok(Self {
            weights: weights.collect(),
            config: config.clone(),
            device: device.clone(),
            llama: llama.clone(),
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
    pub fn base(&self) -> Base {
        let values = ByName::new(&self.weights);
        let matrix = |module: &str| values.matrix(&format!("{module}.weight"));
        let vector = |module: &str| values.vector(&format!("{module}.weight"));
        let architecture = &self.config.architecture;
        let blocks = (0..self.config.num_hidden_layers).map(|layer| {
            let block = architecture.block_name(layer);
            LlamaBlock {
                input_norm: vector(&format!("{block}.input_layernorm")),
                post_attention_norm: vector(&format!("{block}.post_attention_layernorm")),
                linears: Target::LLAMA.map(|target| {
                    let module = target.module(architecture).unwrap_or_default();
                    matrix(&format!("{block}.{module}")).into()
                }),
            }
        });
        let embedding = FrozenWeight::from(matrix("model.embed_tokens"));
        let head = match self.config.tie_word_embeddings {
            true => embedding.clone(),
            false => matrix("lm_head").into(),
        };
        Base {
            config: self.config.clone(),
            device: self.device.clone(),
            body: Body::Llama(Llama {
                config: self.llama.clone(),
                blocks: blocks.collect(),
                final_norm: vector("model.norm"),
                embedding,
            }),
            head,
        }
    }

    /// `model.safetensors` with all weights as f16, under HF's names.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn to_safetensors(&self) -> Result<Vec<u8>, SessionError> {
        to_f16(&self.weights).await
    }
}
