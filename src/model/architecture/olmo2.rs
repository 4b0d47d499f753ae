//! OLMo 2: norms after attention and the feed-forward layer, not before, and of all heads' queries and keys at once.

use super::{
    Architecture, Fields, Module, Norm,
    decoder::{
        self, ATTENTION_OUTPUT, DECODER, DOWN, GATE, KEY_NORM, KEYS, QUERIES, QUERY_NORM, UP,
        VALUES,
    },
};
use crate::model::ModelConfig;

/// OLMo 2.
pub static OLMO2: Architecture = Architecture {
    model_type: "olmo2",
    gguf_name: "olmo2",
    title: "OLMo 2",
    class: "Olmo2ForCausalLM",
    modules: &[
        QUERIES,
        QUERY_NORM,
        KEYS,
        KEY_NORM,
        VALUES,
        ATTENTION_OUTPUT,
        Module::norm(
            Norm::AttentionOutput,
            "post_attention_layernorm",
            "post_attention_norm",
        ),
        GATE,
        UP,
        DOWN,
        Module::norm(
            Norm::FeedForwardOutput,
            "post_feedforward_layernorm",
            "post_ffw_norm",
        ),
    ],
    norms_all_heads: true,
    from_json,
    ..DECODER
};

fn from_json(architecture: &'static Architecture, fields: &Fields) -> Result<ModelConfig, String> {
    let config = decoder::from_json(architecture, fields)?;
    Ok(ModelConfig {
        norm_eps: fields.number("rms_norm_eps")?.unwrap_or(1e-5),
        ..config
    })
}
