//! The config that Llama has, and with additions most architectures since.

use serde_json::{Value, json};

use super::{Architecture, Fields, Keys};
use crate::model::{ModelConfig, Rotary};

/// Reads `config.json`. Fields are named as in Hugging Face's `LlamaConfig`.
///
/// Sizes are required although `LlamaConfig` has defaults for them: those of a 7B model help nobody.
///
/// # Errors
/// The problem in words.
pub fn from_json(
    architecture: &'static Architecture,
    fields: &Fields,
) -> Result<ModelConfig, String> {
    fields.check_class(architecture.class)?;
    check_extensions(fields)?;
    let hidden_size = fields.required("hidden_size")?;
    let num_attention_heads = fields.required("num_attention_heads")?;
    let key_heads = fields.size("num_key_value_heads")?;
    let head_dim = match fields.size("head_dim")? {
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
    let positions = fields.size("max_position_embeddings")?;
    let config = ModelConfig {
        vocab_size: fields.required("vocab_size")?,
        hidden_size,
        intermediate_size: fields.required("intermediate_size")?,
        num_hidden_layers: fields.required("num_hidden_layers")?,
        max_position_embeddings: positions.unwrap_or(2048),
        tie_word_embeddings: fields.flag("tie_word_embeddings")?.unwrap_or(false),
        num_attention_heads,
        num_key_value_heads: key_heads.unwrap_or(num_attention_heads),
        head_dim,
        norm_eps: fields.number("rms_norm_eps")?.unwrap_or(1e-6),
        rotary: Some(rotary(fields)?),
        ..ModelConfig::of(architecture)
    };
    config.validate().map_err(|error| error.to_string())?;
    Ok(config)
}

/// Refuses what `LlamaForCausalLM` can do and this program does not compute.
fn check_extensions(fields: &Fields) -> Result<(), String> {
    let unsupported = |what: &str| Err(format!("{what} is not supported"));
    match fields.text("hidden_act")? {
        None | Some("silu") => {}
        Some(other) => return unsupported(&format!("hidden_act {other}")),
    }
    if let Some(name) = fields.first_set(&["attention_bias", "mlp_bias", "rope_interleaved"])? {
        return unsupported(name);
    }
    let partial = fields.number("partial_rotary_factor")?;
    if partial.is_some_and(|factor| factor != 1.0) {
        return unsupported("partial_rotary_factor");
    }
    match fields.value("quantization_config") {
        Some(_) => unsupported("quantization_config"),
        None => Ok(()),
    }
}

fn rotary(fields: &Fields) -> Result<Rotary, String> {
    // transformers 5 keeps the base of the frequencies in `rope_parameters`, beside the scaling.
    let parameters = fields.value("rope_parameters");
    for (name, value) in [
        ("rope_scaling", fields.value("rope_scaling")),
        ("rope_parameters", parameters),
    ] {
        let Some(value) = value else { continue };
        let kind = value.get("rope_type").or_else(|| value.get("type"));
        let is_plain = match kind.and_then(Value::as_str) {
            Some(kind) => kind == "default",
            // Without a type only the base may stand there.
            None => value
                .as_object()
                .is_some_and(|fields| fields.keys().all(|key| key == "rope_theta")),
        };
        if !is_plain {
            return Err(format!("{name} {value} is not supported"));
        }
    }
    let nested = parameters.and_then(|value| value.get("rope_theta")?.as_f64());
    Ok(Rotary {
        theta: fields.number("rope_theta")?.or(nested).unwrap_or(10_000.0),
    })
}

/// What `config.json` says of a config.
pub fn to_json(config: &ModelConfig) -> Value {
    json!({
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_hidden_layers,
        "max_position_embeddings": config.max_position_embeddings,
        "num_attention_heads": config.num_attention_heads,
        "num_key_value_heads": config.num_key_value_heads,
        "head_dim": config.head_dim,
        "rms_norm_eps": config.norm_eps,
        "rope_theta": config.rotary.as_ref().map(|rotary| rotary.theta),
        "hidden_act": "silu",
        "attention_bias": false,
        "mlp_bias": false,
    })
}

/// Reads the metadata of a GGUF file.
///
/// The vocabulary size is the number of rows of the embedding table, because metadata may count tokens instead.
///
/// # Errors
/// The problem in words: a value that is missing, of the wrong type, or that contradicts another.
pub fn from_gguf(
    architecture: &'static Architecture,
    keys: &Keys<'_>,
) -> Result<ModelConfig, String> {
    check_gguf_extensions(keys)?;
    let hidden_size = keys.required("embedding_length")?;
    let num_attention_heads = keys.required("attention.head_count")?;
    let key_heads = keys.size("attention.head_count_kv")?;
    let head_dim = keys.head_dim(hidden_size, num_attention_heads)?;
    let config = ModelConfig {
        vocab_size: keys.table_rows(architecture.embedding)?,
        hidden_size,
        intermediate_size: keys.required("feed_forward_length")?,
        num_hidden_layers: keys.required("block_count")?,
        max_position_embeddings: keys.required("context_length")?,
        tie_word_embeddings: !keys.has_weight(architecture.head),
        num_attention_heads,
        num_key_value_heads: key_heads.unwrap_or(num_attention_heads),
        head_dim,
        norm_eps: keys.required_number("attention.layer_norm_rms_epsilon")?,
        rotary: Some(Rotary {
            theta: keys.number("rope.freq_base")?.unwrap_or(10_000.0),
        }),
        ..ModelConfig::of(architecture)
    };
    config.validate().map_err(|error| error.to_string())?;
    if let Some(turned) = keys.size("rope.dimension_count")?
        && turned != head_dim
    {
        return Err(format!(
            "its rotary positions turn {turned} of {head_dim} channels of a head, which is not supported"
        ));
    }
    Ok(config)
}

/// Refuses extensions that are not computed here.
fn check_gguf_extensions(keys: &Keys<'_>) -> Result<(), String> {
    if let Some(count @ 1..) = keys.size("expert_count")? {
        return Err(format!(
            "it is a mixture of {count} experts, which is not supported"
        ));
    }
    match keys.text("rope.scaling.type")? {
        None | Some("none") => {}
        Some(kind) => {
            return Err(format!(
                "its rotary positions are scaled ({kind}), which is not supported"
            ));
        }
    }
    if keys.has("rope_freqs.weight") {
        return Err(
            "it has scaled rotary frequencies (rope_freqs.weight), which are not supported"
                .to_owned(),
        );
    }
    Ok(())
}
