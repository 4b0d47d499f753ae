//! The shape of a base model, whichever file it came from.

use serde::{Deserialize, Serialize};

/// Shape and constants of a Llama-architecture base model.
///
/// Names follow HF's `LlamaConfig`; loaders fill it from `config.json` or from GGUF metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// Vocabulary size V: rows of the embedding table.
    pub vocab_size: usize,
    /// Channels C of the residual stream.
    pub hidden_size: usize,
    /// Width of the gated feed-forward layer.
    pub intermediate_size: usize,
    /// Layers L.
    pub num_hidden_layers: usize,
    /// Query heads H.
    pub num_attention_heads: usize,
    /// Key and value heads; each serves `num_attention_heads / num_key_value_heads` query heads.
    pub num_key_value_heads: usize,
    /// Head width D.
    pub head_dim: usize,
    /// Longest sequence the positions were trained for, in tokens.
    pub max_position_embeddings: usize,
    /// Added to the mean square in RMSNorm.
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Whether the output head is the embedding table.
    pub tie_word_embeddings: bool,
}

/// A model whose numbers do not fit together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field} is {value}; {expected}")]
pub struct ConfigError {
    /// Name of the field in [`ModelConfig`].
    pub field: &'static str,
    /// What the file says.
    pub value: String,
    /// What would be accepted.
    pub expected: &'static str,
}

impl ModelConfig {
    /// Checks every bound that later code relies on.
    ///
    /// # Errors
    /// The first field that is zero, absurdly large, not finite, or that another field contradicts.
    pub fn validate(&self) -> Result<(), ConfigError> {
        // Wide enough for a 70B model, small enough that no product of two of them overflows.
        const MAX: usize = 1 << 20;
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.num_key_value_heads),
            ("head_dim", self.head_dim),
            ("max_position_embeddings", self.max_position_embeddings),
        ];
        for (field, value) in sizes {
            let limit = if field == "max_position_embeddings" { usize::MAX } else { MAX };
            if value == 0 || value > limit {
                return Err(ConfigError { field, value: value.to_string(), expected: "it must be between 1 and 1048576" });
            }
        }
        if !self.num_attention_heads.is_multiple_of(self.num_key_value_heads) {
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
        for (field, value) in [("rms_norm_eps", self.rms_norm_eps), ("rope_theta", self.rope_theta)] {
            if !value.is_finite() || value <= 0.0 {
                return Err(ConfigError { field, value: value.to_string(), expected: "it must be a positive number" });
            }
        }
        Ok(())
    }

    /// Number of weights of the base, embeddings counted once where they are tied.
    pub fn parameters(&self) -> usize {
        let attention = self.hidden_size
            * self.head_dim
            * (2 * self.num_attention_heads + 2 * self.num_key_value_heads);
        let feed_forward = 3 * self.hidden_size * self.intermediate_size;
        let norms = 2 * self.hidden_size;
        let tables = if self.tie_word_embeddings { 1 } else { 2 };
        self.num_hidden_layers * (attention + feed_forward + norms)
            + self.hidden_size
            + tables * self.vocab_size * self.hidden_size
    }
}
