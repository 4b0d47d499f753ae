//! `config.json` of a Llama.

use serde::Deserialize;
use serde_json::Value;

use super::{check_class, malformed, required};
use crate::model::{Architecture, LlamaConfig, ModelConfig};

/// The fields that matter here, named as in Hugging Face's `LlamaConfig`.
///
/// Sizes are required although `LlamaConfig` has defaults for them: those of a 7B model help nobody.
#[derive(Debug, Deserialize)]
struct RawConfig {
    #[serde(default)]
    architectures: Option<Vec<String>>,
    vocab_size: Option<usize>,
    hidden_size: Option<usize>,
    intermediate_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    max_position_embeddings: Option<usize>,
    rms_norm_eps: Option<f64>,
    rope_theta: Option<f64>,
    tie_word_embeddings: Option<bool>,
    hidden_act: Option<String>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    rope_interleaved: Option<bool>,
    partial_rotary_factor: Option<f64>,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
    quantization_config: Option<Value>,
}

/// Reads `config.json` of a Llama.
///
/// # Errors
/// The problem in words, as for [`super::read`].
pub fn read(bytes: &[u8]) -> Result<ModelConfig, String> {
    let raw: RawConfig = serde_json::from_slice(bytes).map_err(malformed)?;
    check_class(raw.architectures.as_deref(), "LlamaForCausalLM")?;
    check_extensions(&raw)?;

    let hidden_size = required(raw.hidden_size, "hidden_size")?;
    let num_attention_heads = required(raw.num_attention_heads, "num_attention_heads")?;
    let head_dim = match raw.head_dim {
        Some(width) => width,
        None if num_attention_heads > 0 && hidden_size.is_multiple_of(num_attention_heads) => {
            hidden_size / num_attention_heads
        }
        None => {
            return Err(format!(
                "its hidden_size {hidden_size} cannot be divided among {num_attention_heads} heads"
            ));
        }
    };
    let config = ModelConfig {
        vocab_size: required(raw.vocab_size, "vocab_size")?,
        hidden_size,
        intermediate_size: required(raw.intermediate_size, "intermediate_size")?,
        num_hidden_layers: required(raw.num_hidden_layers, "num_hidden_layers")?,
        max_position_embeddings: raw.max_position_embeddings.unwrap_or(2048),
        tie_word_embeddings: raw.tie_word_embeddings.unwrap_or(false),
        architecture: Architecture::Llama(LlamaConfig {
            num_attention_heads,
            num_key_value_heads: raw.num_key_value_heads.unwrap_or(num_attention_heads),
            head_dim,
            rms_norm_eps: raw.rms_norm_eps.unwrap_or(1e-6),
            rope_theta: rope_theta(&raw),
        }),
    };
    config.validate().map_err(|error| error.to_string())?;
    Ok(config)
}

/// Refuses what `LlamaForCausalLM` can do and this program does not compute.
fn check_extensions(raw: &RawConfig) -> Result<(), String> {
    let unsupported = |what: String| Err(format!("{what} is not supported"));
    match raw.hidden_act.as_deref() {
        None | Some("silu") => {}
        Some(other) => return unsupported(format!("hidden_act {other}")),
    }
    let flags = [
        ("attention_bias", raw.attention_bias),
        ("mlp_bias", raw.mlp_bias),
        ("rope_interleaved", raw.rope_interleaved),
    ];
    for (name, value) in flags {
        if value == Some(true) {
            return unsupported(name.to_owned());
        }
    }
    if raw
        .partial_rotary_factor
        .is_some_and(|factor| factor != 1.0)
    {
        return unsupported("partial_rotary_factor".to_owned());
    }
    if raw.quantization_config.is_some() {
        return unsupported("quantization_config".to_owned());
    }
    // transformers 5 keeps the base of the frequencies in `rope_parameters`, beside the scaling.
    for (name, value) in [
        ("rope_scaling", &raw.rope_scaling),
        ("rope_parameters", &raw.rope_parameters),
    ] {
        let Some(value) = value else { continue };
        let kind = value
            .get("rope_type")
            .or_else(|| value.get("type"))
            .and_then(Value::as_str);
        let is_plain = match kind {
            Some(kind) => kind == "default",
            // Without a type only the base may stand there.
            None => value
                .as_object()
                .is_some_and(|fields| fields.keys().all(|key| key == "rope_theta")),
        };
        if !is_plain {
            return unsupported(format!("{name} {value}"));
        }
    }
    Ok(())
}

fn rope_theta(raw: &RawConfig) -> f64 {
    let nested = raw
        .rope_parameters
        .as_ref()
        .and_then(|value| value.get("rope_theta")?.as_f64());
    raw.rope_theta.or(nested).unwrap_or(10_000.0)
}
