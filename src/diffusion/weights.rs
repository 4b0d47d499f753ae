//! All weights of a text-to-image model: their names, their shapes, and what they begin with.

use burn::tensor::Device;

use super::{
    block::Block,
    config::DiffusionConfig,
    denoiser::{BLOCK_MODULATIONS, Denoiser, DenoiserBlock, OUTPUT_MODULATIONS},
    model::DiffusionModel,
    text::{TextBlock, TextEncoder},
    time::TimeEmbedding,
};
use crate::model::{ConfigError, Target};
use crate::pretrain::weight::{ByName, Start, Weight, to_f16, tracked};
use crate::tensor_file::{TensorFile, TensorFileError};
use crate::train::SessionError;

/// Standard deviation of what words begin with: near that of normed activations, so that even a word that is never
/// trained can be told from another.
const WORD_DEVIATION: f64 = 0.5;
/// Standard deviation of what places begin with.
const PLACE_DEVIATION: f64 = 0.1;

/// All weights of a text-to-image model.
#[derive(Debug, Clone)]
pub struct DiffusionWeights {
    /// Its shape.
    pub config: DiffusionConfig,
    /// Where the weights are.
    pub device: Device,
    /// In the order of a forward pass.
    pub weights: Vec<Weight>,
}

/// Name, shape and start of every weight.
fn plan(config: &DiffusionConfig) -> Vec<(String, Vec<usize>, Start)> {
    let channels = config.hidden_size;
    let values = config.patch_values();
    // The variance of a linear layer's output is that of its input (LeCun et al. 1998).
    let linear = |inputs: usize| Start::Uniform(1.0 / (inputs as f64).sqrt());
    let zeros = Start::Constant(0.0);
    let ones = Start::Constant(1.0);
    let mut plan = Vec::new();
    let mut add = |name: String, shape: &[usize], start| plan.push((name, shape.to_vec(), start));
    // `writers`: what adds to the residual stream begins smaller where nothing gates it (Radford et al. 2019).
    let linears = |add: &mut dyn FnMut(String, &[usize], Start), prefix: &str, writers: f64| {
        for target in Target::LLAMA {
            let (inputs, outputs) = linear_shape(target, config);
            let deviation = 1.0 / (inputs as f64).sqrt();
            let writes = matches!(target, Target::OProj | Target::DownProj);
            let start = Start::Uniform(deviation * if writes { writers } else { 1.0 });
            let name = format!("{prefix}.{}.weight", target.name());
            add(name, &[outputs, inputs], start);
        }
    };

    let words = [config.vocab_size, channels];
    add(
        "text.words.weight".into(),
        &words,
        Start::Uniform(WORD_DEVIATION),
    );
    let places = [config.caption_length, channels];
    add(
        "text.places.weight".into(),
        &places,
        Start::Uniform(PLACE_DEVIATION),
    );
    let writers = 1.0 / (2.0 * config.text_layers as f64).sqrt();
    for layer in 0..config.text_layers {
        let prefix = format!("text.blocks.{layer}");
        add(format!("{prefix}.attention_norm.weight"), &[channels], ones);
        add(
            format!("{prefix}.feed_forward_norm.weight"),
            &[channels],
            ones,
        );
        linears(&mut add, &prefix, writers);
    }
    add("text.norm.weight".into(), &[channels], ones);

    add(
        "patch_in.weight".into(),
        &[channels, values],
        linear(values),
    );
    add("patch_in.bias".into(), &[channels], zeros);
    let places = [config.patches(), channels];
    add(
        "places.weight".into(),
        &places,
        Start::Uniform(PLACE_DEVIATION),
    );
    for layer in ["time.first", "time.second"] {
        add(
            format!("{layer}.weight"),
            &[channels, channels],
            linear(channels),
        );
        add(format!("{layer}.bias"), &[channels], zeros);
    }
    add(
        "caption.weight".into(),
        &[channels, channels],
        linear(channels),
    );
    // Gates of 0 make every block the identity at the start (adaLN-zero of Peebles and Xie).
    let modulations = [BLOCK_MODULATIONS * channels, channels];
    add("modulation.weight".into(), &modulations, zeros);
    for layer in 0..config.denoiser_layers {
        let prefix = format!("blocks.{layer}");
        add(
            format!("{prefix}.modulation.weight"),
            &[BLOCK_MODULATIONS, channels],
            zeros,
        );
        linears(&mut add, &prefix, 1.0);
    }
    let modulations = [OUTPUT_MODULATIONS * channels, channels];
    add("output_modulation.weight".into(), &modulations, zeros);
    add("patch_out.weight".into(), &[values, channels], zeros);
    add("patch_out.bias".into(), &[values], zeros);
    plan
}

/// Number of weights of a model of this shape.
pub fn parameters(config: &DiffusionConfig) -> usize {
    let sizes = plan(config).into_iter();
    sizes
        .map(|(_, shape, _)| shape.iter().product::<usize>())
        .sum()
}

/// Channels in and out of a linear layer of a block.
pub fn linear_shape(target: Target, config: &DiffusionConfig) -> (usize, usize) {
    let (channels, inner) = (config.hidden_size, config.intermediate_size);
    match target {
        Target::GateProj | Target::UpProj => (channels, inner),
        Target::DownProj => (inner, channels),
        _ => (channels, channels),
    }
}

impl DiffusionWeights {
    /// Fresh weights; each draws from a ChaCha8 stream of its own. The model's velocity is 0 everywhere.
    ///
    /// # Errors
    /// A shape that is out of range.
    pub fn new(config: &DiffusionConfig, seed: u64, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        let weights = plan(config)
            .into_iter()
            .zip(0..)
            .map(|((name, shape, start), stream)| {
                Weight::new(name, shape, start, (seed, stream), device)
            });
        Ok(Self {
            config: config.clone(),
            device: device.clone(),
            weights: weights.collect(),
        })
    }

    /// Weights out of a safetensors file of F32 or F16.
    ///
    /// # Errors
    /// A shape out of range, bytes that are no such file, or a tensor that is missing or does not fit.
    pub fn read(
        config: &DiffusionConfig,
        bytes: &[u8],
        device: &Device,
    ) -> Result<Self, SessionError> {
        let setting =
            |error: ConfigError| SessionError::setting(error.field, error.value, error.expected);
        config.validate().map_err(setting)?;
        let file = TensorFile::open(bytes)?;
        let weights = plan(config).into_iter().map(|(name, shape, _)| {
            let value = match shape[..] {
                [rows, columns] => file
                    .tensor(&name, [rows, columns], device)?
                    .reshape([1, rows, columns]),
                _ => {
                    let columns = shape.iter().product();
                    file.tensor(&name, [columns], device)?
                        .reshape([1, 1, columns])
                }
            };
            Ok(Weight { name, shape, value })
        });
        let weights: Result<Vec<Weight>, TensorFileError> = weights.collect();
        Ok(Self {
            config: config.clone(),
            device: device.clone(),
            weights: weights?,
        })
    }

    /// Number of trained values.
    pub fn parameters(&self) -> usize {
        let sizes = self
            .weights
            .iter()
            .map(|w| w.shape.iter().product::<usize>());
        sizes.sum()
    }

    /// The values as leaves of a new autodiff graph.
    pub fn tracked(&self) -> Self {
        Self {
            weights: tracked(&self.weights),
            ..self.clone()
        }
    }

    /// `model.safetensors` with all weights as f16.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn to_safetensors(&self) -> Result<Vec<u8>, SessionError> {
        Ok(to_f16(&self.weights).await?)
    }

    /// A model that computes with these weights.
    pub fn model(&self) -> DiffusionModel {
        let values = ByName::new(&self.weights);
        let matrix = |module: &str| values.matrix(&format!("{module}.weight"));
        let scale = |module: &str| values.vector(&format!("{module}.weight"));
        let bias = |module: &str| values.vector(&format!("{module}.bias"));
        let block = |prefix: &str| Block {
            linears: Target::LLAMA
                .map(|target| matrix(&format!("{prefix}.{}", target.name())).into()),
        };
        let text_blocks = (0..self.config.text_layers).map(|layer| {
            let prefix = format!("text.blocks.{layer}");
            TextBlock {
                attention_norm: scale(&format!("{prefix}.attention_norm")),
                feed_forward_norm: scale(&format!("{prefix}.feed_forward_norm")),
                block: block(&prefix),
            }
        });
        let denoiser_blocks = (0..self.config.denoiser_layers).map(|layer| {
            let prefix = format!("blocks.{layer}");
            DenoiserBlock {
                modulation: matrix(&format!("{prefix}.modulation")),
                block: block(&prefix),
            }
        });
        DiffusionModel {
            config: self.config.clone(),
            device: self.device.clone(),
            text: TextEncoder {
                words: matrix("text.words"),
                places: matrix("text.places"),
                blocks: text_blocks.collect(),
                norm: scale("text.norm"),
            },
            denoiser: Denoiser {
                patch_in: matrix("patch_in"),
                patch_in_bias: bias("patch_in"),
                places: matrix("places"),
                time: TimeEmbedding {
                    first: matrix("time.first"),
                    first_bias: bias("time.first"),
                    second: matrix("time.second"),
                    second_bias: bias("time.second"),
                },
                caption: matrix("caption"),
                modulation: matrix("modulation"),
                blocks: denoiser_blocks.collect(),
                output_modulation: matrix("output_modulation"),
                patch_out: matrix("patch_out"),
                patch_out_bias: bias("patch_out"),
            },
        }
    }
}
