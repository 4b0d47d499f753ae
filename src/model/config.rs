//! The shape of a base model, whichever file it came from.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::Value;

use super::{
    architecture::{Architecture, Fields},
    rotary::{Rotary, RotaryScaling},
    walk,
};

/// Shape and constants of a base model.
///
/// Names are those that HF uses across architectures; loaders fill it from `config.json` or from GGUF metadata. As JSON it
/// is what transformers writes to `config.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// Which modules a block has, and what they are called.
    pub architecture: &'static Architecture,
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
    /// Query heads H.
    pub num_attention_heads: usize,
    /// Key and value heads; each serves `num_attention_heads / num_key_value_heads` query heads.
    pub num_key_value_heads: usize,
    /// Head width D.
    pub head_dim: usize,
    /// Added to the mean square, or to the variance, in norms.
    pub norm_eps: f64,
    /// What the feed-forward layer computes between its linear layers.
    pub activation: Activation,
    /// How positions turn queries and keys; `None` where they are learned and added to the embeddings.
    pub rotary: Option<Rotary>,
    /// How they do in layers with a window, where that is another way.
    pub sliding_rotary: Option<Rotary>,
    /// Layers in which positions turn nothing; empty where there is none.
    pub unrotated_layers: Vec<bool>,
    /// Keys that a query sees in layers with a window, its own among them.
    pub sliding_window: Option<usize>,
    /// Layers with a window; empty where there is none.
    pub sliding_layers: Vec<bool>,
    /// What scores are multiplied by; 1 / √D where it is left out.
    pub attention_scale: Option<f64>,
    /// Scores s become c · tanh(s / c).
    pub attention_softcap: Option<f64>,
    /// Logits s become c · tanh(s / c).
    pub logits_softcap: Option<f64>,
    /// What embeddings are multiplied by.
    pub embedding_multiplier: f64,
    /// What attention and the feed-forward layer add to the residual stream is multiplied by it.
    pub residual_multiplier: f64,
    /// What logits are divided by.
    pub logits_scaling: f64,
    /// Whether the feed-forward layer sees what attention sees, and not its result.
    pub parallel_residual: bool,
}

/// The non-linearity of a feed-forward layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x · σ(x).
    Silu,
    /// GELU by its approximation with tanh.
    GeluTanh,
    /// GELU.
    Gelu,
}

impl Serialize for ModelConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ModelConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::new(Value::deserialize(deserializer)?).map_err(D::Error::custom)?;
        Self::from_json(&fields).map_err(D::Error::custom)
    }
}

/// A model whose numbers do not fit together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field} is {value}; {expected}")]
pub struct ConfigError {
    /// Name of the field in [`ModelConfig`], or in its architecture's `config.json`.
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
    /// A config without sizes or positions, which whoever reads a file fills.
    pub fn of(architecture: &'static Architecture) -> Self {
        Self {
            architecture,
            vocab_size: 0,
            hidden_size: 0,
            intermediate_size: 0,
            num_hidden_layers: 0,
            max_position_embeddings: 0,
            tie_word_embeddings: false,
            num_attention_heads: 0,
            num_key_value_heads: 0,
            head_dim: 0,
            norm_eps: 0.0,
            activation: Activation::Silu,
            rotary: None,
            sliding_rotary: None,
            unrotated_layers: Vec::new(),
            sliding_window: None,
            sliding_layers: Vec::new(),
            attention_scale: None,
            attention_softcap: None,
            logits_softcap: None,
            embedding_multiplier: 1.0,
            residual_multiplier: 1.0,
            logits_scaling: 1.0,
            parallel_residual: false,
        }
    }

    /// What `config.json` says.
    ///
    /// # Errors
    /// The problem in words: another architecture, an extension that is not computed here, or sizes that are missing or do
    /// not fit together.
    pub fn from_json(fields: &Fields) -> Result<Self, String> {
        let architecture = Architecture::of_json(fields)?;
        let config = (architecture.from_json)(architecture, fields)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    /// As transformers writes it to `config.json`; types and tokens are left to the caller.
    pub fn to_json(&self) -> Value {
        let mut json = (self.architecture.to_json)(self);
        json["model_type"] = self.architecture.model_type.into();
        json["architectures"] = vec![self.architecture.class].into();
        json["vocab_size"] = self.vocab_size.into();
        json["tie_word_embeddings"] = self.tie_word_embeddings.into();
        json
    }

    /// Checks every bound that later code relies on. Errors have the names that `config.json` has.
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
            self.check_size(field, value)?;
        }
        // Rotary positions are computed as they are needed; no table of all of them exists.
        if self.max_position_embeddings == 0 {
            return Err(self.error("max_position_embeddings", 0, "it must be 1 or more"));
        }
        self.check_size("num_attention_heads", self.num_attention_heads)?;
        if self.architecture.positions.is_some() {
            // A table of them is among the weights.
            self.check_size("max_position_embeddings", self.max_position_embeddings)?;
        }
        self.check_heads()?;
        self.check_positive("norm_eps", self.norm_eps)?;
        for rotary in [&self.rotary, &self.sliding_rotary].into_iter().flatten() {
            self.check_rotary(rotary)?;
        }
        if self.sliding_window == Some(0) {
            return Err(self.error("sliding_window", 0, "it must be 1 or more"));
        }
        let factors = [
            ("attention_multiplier", self.attention_scale),
            ("attn_logit_softcapping", self.attention_softcap),
            ("final_logit_softcapping", self.logits_softcap),
            ("embedding_multiplier", Some(self.embedding_multiplier)),
            ("residual_multiplier", Some(self.residual_multiplier)),
            ("logits_scaling", Some(self.logits_scaling)),
        ];
        for (field, value) in factors {
            self.check_positive(field, value.unwrap_or(1.0))?;
        }
        Ok(())
    }

    fn check_rotary(&self, rotary: &Rotary) -> Result<(), ConfigError> {
        self.check_positive("rope_theta", rotary.theta)?;
        let turned = rotary.turned(self.head_dim);
        if !(0.0..=1.0).contains(&rotary.share) || turned == 0 || !turned.is_multiple_of(2) {
            return Err(self.error(
                "partial_rotary_factor",
                rotary.share,
                "it must be a share of a head's channels that makes an even number of them",
            ));
        }
        match rotary.scaling {
            RotaryScaling::None => Ok(()),
            RotaryScaling::Linear { factor } => self.check_positive("factor", factor),
            RotaryScaling::Llama3 {
                factor,
                low_frequency,
                high_frequency,
                positions,
            } => {
                self.check_positive("factor", factor)?;
                self.check_positive("low_freq_factor", low_frequency)?;
                self.check_positive("original_max_position_embeddings", positions)?;
                match high_frequency > low_frequency {
                    true => self.check_positive("high_freq_factor", high_frequency),
                    false => Err(self.error(
                        "high_freq_factor",
                        high_frequency,
                        "it must be above low_freq_factor",
                    )),
                }
            }
        }
    }

    fn check_heads(&self) -> Result<(), ConfigError> {
        self.check_size("num_key_value_heads", self.num_key_value_heads)?;
        self.check_size("head_dim", self.head_dim)?;
        // Both are at most 2²⁰, whose product 32 bits do not hold.
        let width = self.num_attention_heads as u64 * self.head_dim as u64;
        if width > WIDEST as u64 {
            return Err(self.error(
                "head_dim",
                self.head_dim,
                "with num_attention_heads it must make a width of at most 1048576",
            ));
        }
        if !self
            .num_attention_heads
            .is_multiple_of(self.num_key_value_heads)
        {
            return Err(self.error(
                "num_key_value_heads",
                self.num_key_value_heads,
                "it must divide num_attention_heads",
            ));
        }
        if self.rotary.is_some() && !self.head_dim.is_multiple_of(2) {
            return Err(self.error(
                "head_dim",
                self.head_dim,
                "rotary positions need an even head width",
            ));
        }
        Ok(())
    }

    fn check_size(&self, field: &'static str, value: usize) -> Result<(), ConfigError> {
        match value {
            1..=WIDEST => Ok(()),
            _ => Err(self.error(field, value, "it must be between 1 and 1048576")),
        }
    }

    fn check_positive(&self, field: &'static str, value: f64) -> Result<(), ConfigError> {
        match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(self.error(field, value, "it must be a positive number")),
        }
    }

    fn error(
        &self,
        field: &'static str,
        value: impl ToString,
        expected: &'static str,
    ) -> ConfigError {
        ConfigError {
            field: self.architecture.json_name(field),
            value: value.to_string(),
            expected,
        }
    }

    /// Channels of all query heads together.
    pub fn query_width(&self) -> usize {
        self.num_attention_heads * self.head_dim
    }

    /// Channels of all key heads together, which are as many as those of all value heads.
    pub fn key_width(&self) -> usize {
        self.num_key_value_heads * self.head_dim
    }

    /// Which layers `is_one` says; none where there are absurdly many, which [`ModelConfig::validate`] refuses.
    pub fn each_layer(&self, is_one: impl Fn(usize) -> bool) -> Vec<bool> {
        match self.num_hidden_layers {
            layers @ 0..=WIDEST => (0..layers).map(is_one).collect(),
            _ => Vec::new(),
        }
    }

    /// Keys that a query sees in block `layer`, its own among them; `None` where it sees all before it.
    pub fn window(&self, layer: usize) -> Option<usize> {
        let slides = self.sliding_layers.get(layer) == Some(&true);
        self.sliding_window.filter(|_| slides)
    }

    /// What scores are multiplied by.
    pub fn scale_of_scores(&self) -> f64 {
        self.attention_scale
            .unwrap_or(1.0 / (self.head_dim as f64).sqrt())
    }

    /// Number of weights of the base, embeddings counted once where they are tied.
    ///
    /// In 64 bits, which 32 of wasm do not replace: a model may be larger than wasm can address.
    /// After [`ModelConfig::validate`] it cannot overflow: a layer has at most 7 matrices of
    /// 2²⁰ × 2²⁰ weights, vectors aside, and there are at most 2²⁰ layers, which makes less than 2⁶³.
    pub fn parameters(&self) -> u64 {
        let elements = |weights: Vec<walk::Weight>| -> u64 {
            let sizes = weights.iter().map(walk::Weight::elements);
            sizes.sum()
        };
        let around: Vec<_> = walk::before_blocks(self)
            .chain(walk::after_blocks(self))
            .collect();
        self.num_hidden_layers as u64 * elements(walk::block(self, 0)) + elements(around)
    }
}
