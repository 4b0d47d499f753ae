//! `config.json`.

use serde::Deserialize;
use serde_json::Value;

use crate::model::ModelConfig;

/// What `config.json` says.
#[derive(Debug)]
pub struct ParsedConfig {
    /// Shape of the model.
    pub config: ModelConfig,
    /// The name under which the model was loaded before it was saved, if the file has one.
    pub name: Option<String>,
}

/// The fields that matter here, named as in Hugging Face's `LlamaConfig`.
///
/// Sizes are required although `LlamaConfig` has defaults for them: those of a 7B model help nobody.
#[derive(Debug, Deserialize)]
struct RawConfig {
    model_type: Option<String>,
    #[serde(default)]
    architectures: Option<Vec<String>>,
    #[serde(rename = "_name_or_path")]
    name_or_path: Option<String>,
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

/// The only field that is read before it is known that the model is a Llama.
#[derive(Debug, Deserialize)]
struct ModelType {
    model_type: Option<String>,
}

/// Reads `config.json`.
///
/// # Errors
/// The problem in words: malformed JSON, another architecture, an extension that is not computed here, or sizes that
/// are missing or do not fit together.
pub fn read(bytes: &[u8]) -> Result<ParsedConfig, String> {
    let malformed = |error: serde_json::Error| format!("it is malformed: {error}");
    // Another architecture may use the same names for other things, so its name comes first.
    let kind: ModelType = serde_json::from_slice(bytes).map_err(malformed)?;
    check_architecture(kind.model_type.as_deref(), None)?;
    let raw: RawConfig = serde_json::from_slice(bytes).map_err(malformed)?;
    check_architecture(raw.model_type.as_deref(), raw.architectures.as_deref())?;
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
        num_attention_heads,
        num_key_value_heads: raw.num_key_value_heads.unwrap_or(num_attention_heads),
        head_dim,
        max_position_embeddings: raw.max_position_embeddings.unwrap_or(2048),
        rms_norm_eps: raw.rms_norm_eps.unwrap_or(1e-6),
        rope_theta: rope_theta(&raw),
        tie_word_embeddings: raw.tie_word_embeddings.unwrap_or(false),
    };
    config.validate().map_err(|error| error.to_string())?;
    // A path on the machine that saved the model says nothing to the user; its last part may.
    let name = raw
        .name_or_path
        .as_deref()
        .map(|path| path.rsplit('/').next().unwrap_or(path));
    Ok(ParsedConfig {
        config,
        name: name.filter(|name| !name.is_empty()).map(str::to_owned),
    })
}

fn required(value: Option<usize>, name: &str) -> Result<usize, String> {
    value.ok_or_else(|| format!("{name} is missing"))
}

fn check_architecture(
    model_type: Option<&str>,
    architectures: Option<&[String]>,
) -> Result<(), String> {
    match model_type {
        Some("llama") => {}
        Some(other) => {
            return Err(format!(
                "its architecture is {other}, which is not supported; use a model of the llama architecture"
            ));
        }
        None => return Err("it does not name its architecture (model_type)".to_owned()),
    }
    match architectures {
        Some([class, ..]) if class != "LlamaForCausalLM" => Err(format!(
            "it describes a {class}, which is not supported; use a LlamaForCausalLM"
        )),
        _ => Ok(()),
    }
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
