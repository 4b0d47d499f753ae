//! The shape of a base model, whichever file it came from.

use serde::{Deserialize, Serialize};

use super::Target;

/// Shape and constants of a base model.
///
/// Names are those that HF uses across architectures; loaders fill it from `config.json` or from
/// GGUF metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// Vocabulary size V: rows of the embedding table.
    pub vocab_size: usize,
    /// Channels C of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Layers L.
    pub num_hidden_layers: usize,
    /// Longest sequence the positions were trained for, in tokens.
    pub max_position_embeddings: usize,
    /// Whether the output head is the embedding table.
    pub tie_word_embeddings: bool,
    /// How a block computes.
    #[serde(flatten)]
    pub architecture: Architecture,
}

/// How a block computes, and what only blocks of its kind have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model_type", rename_all = "lowercase")]
pub enum Architecture {
    /// RMSNorm, rotary positions, grouped-query attention, SwiGLU; no biases.
    Llama(LlamaConfig),
    /// LayerNorm, learned positions, one layer for queries, keys and values, GELU; biases.
    Gpt2(Gpt2Config),
}

/// What only Llamas have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LlamaConfig {
    /// Query heads H.
    pub num_attention_heads: usize,
    /// Key and value heads; each serves `num_attention_heads / num_key_value_heads` query heads.
    pub num_key_value_heads: usize,
    /// Head width D.
    pub head_dim: usize,
    /// Added to the mean square in RMSNorm.
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
}

/// What only GPT-2s have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gpt2Config {
    /// Heads H, of queries as of keys and values; the head width D is `hidden_size` / H.
    pub num_attention_heads: usize,
    /// Added to the variance in LayerNorm.
    pub layer_norm_epsilon: f64,
}

impl Architecture {
    /// HF's `model_type`.
    pub fn model_type(&self) -> &'static str {
        match self {
            Self::Llama(_) => "llama",
            Self::Gpt2(_) => "gpt2",
        }
    }

    /// What a user calls it.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Llama(_) => "Llama",
            Self::Gpt2(_) => "GPT-2",
        }
    }

    /// Query heads H.
    pub fn heads(&self) -> usize {
        match self {
            Self::Llama(llama) => llama.num_attention_heads,
            Self::Gpt2(gpt2) => gpt2.num_attention_heads,
        }
    }

    /// Name of block `layer` in HF's checkpoints.
    pub fn block_name(&self, layer: usize) -> String {
        match self {
            Self::Llama(_) => format!("model.layers.{layer}"),
            Self::Gpt2(_) => format!("transformer.h.{layer}"),
        }
    }

    /// The layers of a block that can carry an adapter.
    pub fn targets(&self) -> &'static [Target] {
        match self {
            Self::Llama(_) => &Target::LLAMA,
            Self::Gpt2(_) => &Target::GPT2,
        }
    }
}

/// A model whose numbers do not fit together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field} is {value}; {expected}")]
pub struct ConfigError {
    /// Name of the field in [`ModelConfig`] or in what only its architecture has.
    pub field: &'static str,
    /// What the file says.
    pub value: String,
    /// What would be accepted.
    pub expected: &'static str,
}

/// Widest that any layer may be: wide enough for every known model, and narrow enough that
/// [`ModelConfig::parameters`] cannot overflow (see there).
const WIDEST: usize = 1 << 20;

impl ModelConfig {
    /// Checks every bound that later code relies on.
    ///
    /// # Errors
    /// The first field that is zero, absurdly large, not finite, or that another field contradicts.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
        ];
        for (field, value) in sizes {
            check_size(field, value)?;
        }
        // Rotary positions are computed as they are needed; no table of all of them exists.
        if self.max_position_embeddings == 0 {
            return Err(ConfigError {
                field: "max_position_embeddings",
                value: "0".to_owned(),
                expected: "it must be 1 or more",
            });
        }
        match &self.architecture {
            Architecture::Llama(llama) => llama.validate(),
            Architecture::Gpt2(gpt2) => gpt2.validate(self),
        }
    }

    /// Number of weights of the base, embeddings counted once where they are tied.
    ///
    /// In 64 bits, which 32 of wasm do not replace: a model may be larger than wasm can address.
    /// After [`ModelConfig::validate`] it cannot overflow: a layer has at most 7 matrices of
    /// 2²⁰ × 2²⁰ weights, vectors aside, and there are at most 2²⁰ layers, which makes less than 2⁶³.
    pub fn parameters(&self) -> u64 {
        let [channels, inner, vocabulary] =
            [self.hidden_size, self.intermediate_size, self.vocab_size].map(|size| size as u64);
        let tables = if self.tie_word_embeddings { 1 } else { 2 };
        let (block, around) = match &self.architecture {
            Architecture::Llama(llama) => {
                let heads =
                    2 * llama.num_attention_heads as u64 + 2 * llama.num_key_value_heads as u64;
                let attention = channels * llama.head_dim as u64 * heads;
                let norms = 2 * channels;
                (attention + 3 * channels * inner + norms, channels)
            }
            Architecture::Gpt2(_) => {
                let attention = 4 * channels * channels + 4 * channels;
                let feed_forward = 2 * channels * inner + inner + channels;
                let norms = 4 * channels;
                let positions = self.max_position_embeddings as u64 * channels;
                (attention + feed_forward + norms, positions + 2 * channels)
            }
        };
        self.num_hidden_layers as u64 * block + around + tables * vocabulary * channels
    }
}

impl LlamaConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        check_size("num_attention_heads", self.num_attention_heads)?;
        check_size("num_key_value_heads", self.num_key_value_heads)?;
        check_size("head_dim", self.head_dim)?;
        // Both are at most 2²⁰, whose product 32 bits do not hold.
        let width = self.num_attention_heads as u64 * self.head_dim as u64;
        if width > WIDEST as u64 {
            return Err(ConfigError {
                field: "head_dim",
                value: self.head_dim.to_string(),
                expected: "with num_attention_heads it must make a width of at most 1048576",
            });
        }
        if !self
            .num_attention_heads
            .is_multiple_of(self.num_key_value_heads)
        {
            return Err(ConfigError {
                field: "num_key_value_heads",
                value: self.num_key_value_heads.to_string(),
                expected: "it must divide num_attention_heads",
            });
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(ConfigError {
                field: "head_dim",
                value: self.head_dim.to_string(),
                expected: "rotary positions need an even head width",
            });
        }
        check_positive("rms_norm_eps", self.rms_norm_eps)?;
        check_positive("rope_theta", self.rope_theta)
    }
}

impl Gpt2Config {
    fn validate(&self, config: &ModelConfig) -> Result<(), ConfigError> {
        check_size("num_attention_heads", self.num_attention_heads)?;
        // A table of them is among the weights.
        check_size("max_position_embeddings", config.max_position_embeddings)?;
        // The layer that makes queries, keys and values is three times as wide as the others.
        if config.hidden_size > WIDEST / 3 {
            return Err(ConfigError {
                field: "hidden_size",
                value: config.hidden_size.to_string(),
                expected: "it must be between 1 and 349525",
            });
        }
        if !config.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err(ConfigError {
                field: "num_attention_heads",
                value: self.num_attention_heads.to_string(),
                expected: "it must divide hidden_size",
            });
        }
        check_positive("layer_norm_epsilon", self.layer_norm_epsilon)
    }
}

fn check_size(field: &'static str, value: usize) -> Result<(), ConfigError> {
    match value {
        1..=WIDEST => Ok(()),
        _ => Err(ConfigError {
            field,
            value: value.to_string(),
            expected: "it must be between 1 and 1048576",
        }),
    }
}

fn check_positive(field: &'static str, value: f64) -> Result<(), ConfigError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(ConfigError {
        field,
        value: value.to_string(),
        expected: "it must be a positive number",
    })
}
