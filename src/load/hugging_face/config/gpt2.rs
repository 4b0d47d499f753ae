//! `config.json` of a GPT-2.

use serde::Deserialize;
use serde_json::Value;

use super::{check_class, malformed, required};
use crate::model::{Architecture, ConfigError, Gpt2Config, ModelConfig};

/// The fields that matter here, named as in Hugging Face's `GPT2Config`.
///
/// Sizes are required although `GPT2Config` has defaults for them, as for a Llama.
#[derive(Debug, Deserialize)]
struct RawConfig {
    #[serde(default)]
    architectures: Option<Vec<String>>,
    vocab_size: Option<usize>,
    n_positions: Option<usize>,
    n_embd: Option<usize>,
    n_layer: Option<usize>,
    n_head: Option<usize>,
    n_inner: Option<usize>,
    activation_function: Option<String>,
    layer_norm_epsilon: Option<f64>,
    tie_word_embeddings: Option<bool>,
    scale_attn_weights: Option<bool>,
    scale_attn_by_inverse_layer_idx: Option<bool>,
    add_cross_attention: Option<bool>,
    quantization_config: Option<Value>,
}

/// Reads `config.json` of a GPT-2.
///
/// # Errors
/// The problem in words, as for [`super::read`].
pub fn read(bytes: &[u8]) -> Result<ModelConfig, String> {
    let raw: RawConfig = serde_json::from_slice(bytes).map_err(malformed)?;
    check_class(raw.architectures.as_deref(), "GPT2LMHeadModel")?;
    check_extensions(&raw)?;
    let hidden_size = required(raw.n_embd, "n_embd")?;
    let num_attention_heads = required(raw.n_head, "n_head")?;
    if num_attention_heads == 0 || !hidden_size.is_multiple_of(num_attention_heads) {
        return Err(format!(
            "its n_embd {hidden_size} cannot be divided among {num_attention_heads} heads (n_head)"
        ));
    }
    let config = ModelConfig {
        vocab_size: required(raw.vocab_size, "vocab_size")?,
        hidden_size,
        // Saturating, because the file may say anything; the check below refuses what is absurd.
        intermediate_size: raw.n_inner.unwrap_or(hidden_size.saturating_mul(4)),
        num_hidden_layers: required(raw.n_layer, "n_layer")?,
        max_position_embeddings: required(raw.n_positions, "n_positions")?,
        tie_word_embeddings: raw.tie_word_embeddings.unwrap_or(true),
        architecture: Architecture::Gpt2(Gpt2Config {
            num_attention_heads,
            layer_norm_epsilon: raw.layer_norm_epsilon.unwrap_or(1e-5),
        }),
    };
    config.validate().map_err(|error| {
        let field = match (error.field, raw.n_inner) {
            ("intermediate_size", None) => "n_inner (4 n_embd)",
            (field, _) => file_name(field),
        };
        ConfigError { field, ..error }.to_string()
    })?;
    Ok(config)
}

/// The name of a field in the file.
fn file_name(field: &'static str) -> &'static str {
    match field {
        "hidden_size" => "n_embd",
        "intermediate_size" => "n_inner",
        "num_hidden_layers" => "n_layer",
        "num_attention_heads" => "n_head",
        "max_position_embeddings" => "n_positions",
        other => other,
    }
}

/// Refuses what `GPT2LMHeadModel` can do and this program does not compute.
fn check_extensions(raw: &RawConfig) -> Result<(), String> {
    match raw.activation_function.as_deref() {
        // The second is the first under torch's name.
        None | Some("gelu_new" | "gelu_pytorch_tanh") => {}
        Some(other) => {
            return Err(format!(
                "activation_function {other} is not supported; use a model with gelu_new"
            ));
        }
    }
    let refused = [
        ("scale_attn_weights", raw.scale_attn_weights == Some(false)),
        (
            "scale_attn_by_inverse_layer_idx",
            raw.scale_attn_by_inverse_layer_idx == Some(true),
        ),
        ("add_cross_attention", raw.add_cross_attention == Some(true)),
        ("quantization_config", raw.quantization_config.is_some()),
    ];
    match refused.into_iter().find(|(_, set)| *set) {
        Some((name, _)) => Err(format!(
            "{name} differs from GPT-2's own, which is not supported; use a plain GPT-2"
        )),
        None => Ok(()),
    }
}
