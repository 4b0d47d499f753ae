//! All weights of a Llama, to be trained.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData, Transaction};
use half::f16;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::{Dtype, tensor::TensorView};

use crate::load::layout::{NeededTensor, needed_tensors};
use crate::model::{
    Architecture, Base, Body, ConfigError, FrozenWeight, Llama, LlamaBlock, LlamaConfig,
    ModelConfig, Target,
};
use crate::train::SessionError;

/// Standard deviation of fresh weights, as HF's `initializer_range` of Llama.
const INITIAL_DEVIATION: f64 = 0.02;

/// One weight.
#[derive(Debug, Clone)]
pub struct Weight {
    /// HF's name and shape.
    pub tensor: NeededTensor,
    /// [1, out, in]; a vector is [1, 1, C]. The optimizer takes it for a bank of one run.
    pub value: Tensor<3>,
}

impl Weight {
    /// Whether it is a matrix, which decays; scales of norms do not.
    pub fn is_matrix(&self) -> bool {
        self.tensor.shape.len() == 2
    }

    fn rows_and_columns(tensor: &NeededTensor) -> [usize; 2] {
        match tensor.shape[..] {
            [rows, columns] => [rows, columns],
            _ => [1, tensor.shape.iter().product()],
        }
    }
}

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
        let weights = needed_tensors(config).enumerate().map(|(index, tensor)| {
            let [rows, columns] = Weight::rows_and_columns(&tensor);
            let writes = ["o_proj", "down_proj"]
                .iter()
                .any(|module| tensor.name.contains(module));
            let deviation = INITIAL_DEVIATION / if writes { residual } else { 1.0 };
            // The variance of a uniform number in ±b is b² / 3.
            let bound = (deviation * 3.0_f64.sqrt()) as f32;
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(index as u64);
            let value = Tensor::from_data(
                TensorData::new(
                    match tensor.shape.len() {
                        1 => vec![1.0; columns],
                        _ => (0..rows * columns)
                            .map(|_| random.random_range(-bound..bound))
                            .collect::<Vec<f32>>(),
                    },
                    [1, rows, columns],
                ),
                device,
            );
            Weight { tensor, value }
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
        let mut tracked = self.clone();
        for weight in &mut tracked.weights {
            weight.value = weight.value.clone().autodiff().require_grad();
        }
        tracked
    }

    /// A base that computes with these weights.
    pub fn base(&self) -> Base {
        let values: HashMap<&str, &Tensor<3>> = self
            .weights
            .iter()
            .map(|weight| (weight.tensor.name.as_str(), &weight.value))
            .collect();
        let matrix = |module: &str| -> Tensor<2> {
            values[format!("{module}.weight").as_str()]
                .clone()
                .squeeze_dim(0)
        };
        let vector = |module: &str| -> Tensor<1> { matrix(module).squeeze_dim(0) };
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
        let device = |error: &dyn ToString| SessionError::Device(error.to_string());
        let read = self
            .weights
            .iter()
            .fold(Transaction::default(), |transaction, weight| {
                transaction.register(weight.value.clone())
            });
        let data = read.execute_async().await.map_err(|error| device(&error))?;
        let bytes: Vec<Vec<u8>> = data
            .iter()
            .map(|data| {
                let values = data.iter::<f32>();
                values
                    .flat_map(|value| f16::from_f32(value).to_le_bytes())
                    .collect()
            })
            .collect();
        let views = self.weights.iter().zip(&bytes).map(|(weight, bytes)| {
            let shape = weight.tensor.shape.clone();
            let view = TensorView::new(Dtype::F16, shape, bytes)?;
            Ok((weight.tensor.name.as_str(), view))
        });
        let views: Result<Vec<_>, safetensors::SafeTensorError> = views.collect();
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        views
            .and_then(|views| safetensors::serialize(views, Some(metadata)))
            .map_err(|error| device(&error))
    }
}
