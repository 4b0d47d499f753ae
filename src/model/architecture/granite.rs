//! Granite, dense: a Llama whose embeddings, branches, attention and logits are scaled.

use serde_json::Value;

use super::{
    Architecture, Fields, Keys,
    decoder::{self, DECODER},
};
use crate::model::ModelConfig;

/// Granite.
pub static GRANITE: Architecture = Architecture {
    model_type: "granite",
    gguf_name: "granite",
    title: "Granite",
    class: "GraniteForCausalLM",
    gguf_keeps_pairs: true,
    from_json,
    to_json,
    from_gguf: Some(from_gguf),
    ..DECODER
};

fn from_json(architecture: &'static Architecture, fields: &Fields) -> Result<ModelConfig, String> {
    let config = decoder::from_json(architecture, fields)?;
    Ok(ModelConfig {
        embedding_multiplier: fields.number("embedding_multiplier")?.unwrap_or(1.0),
        attention_scale: Some(fields.number("attention_multiplier")?.unwrap_or(1.0)),
        residual_multiplier: fields.number("residual_multiplier")?.unwrap_or(1.0),
        logits_scaling: fields.number("logits_scaling")?.unwrap_or(1.0),
        ..config
    })
}

fn from_gguf(architecture: &'static Architecture, keys: &Keys<'_>) -> Result<ModelConfig, String> {
    let config = decoder::from_gguf(architecture, keys)?;
    Ok(ModelConfig {
        embedding_multiplier: keys.number("embedding_scale")?.unwrap_or(1.0),
        attention_scale: keys.number("attention.scale")?,
        residual_multiplier: keys.number("residual_scale")?.unwrap_or(1.0),
        logits_scaling: keys.number("logit_scale")?.unwrap_or(1.0),
        ..config
    })
}

fn to_json(config: &ModelConfig) -> Value {
    let mut json = decoder::to_json(config);
    json["embedding_multiplier"] = config.embedding_multiplier.into();
    json["attention_multiplier"] = config.attention_scale.into();
    json["residual_multiplier"] = config.residual_multiplier.into();
    json["logits_scaling"] = config.logits_scaling.into();
    json
}
