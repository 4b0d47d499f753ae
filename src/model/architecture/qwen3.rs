//! Qwen 3: a Llama with norms of each head's queries and keys.

use super::{
    Architecture, Fields, Module, Norm,
    decoder::{
        self, ATTENTION_OUTPUT, DECODER, DOWN, GATE, KEY_NORM, KEYS, QUERIES, QUERY_NORM, UP,
        VALUES,
    },
};
use crate::model::ModelConfig;

/// Qwen 3.
pub static QWEN3: Architecture = Architecture {
    model_type: "qwen3",
    gguf_name: "qwen3",
    title: "Qwen3",
    class: "Qwen3ForCausalLM",
    modules: &[
        Module::norm(Norm::Attention, "input_layernorm", "attn_norm"),
        QUERIES,
        QUERY_NORM,
        KEYS,
        KEY_NORM,
        VALUES,
        ATTENTION_OUTPUT,
        Module::norm(Norm::FeedForward, "post_attention_layernorm", "ffn_norm"),
        GATE,
        UP,
        DOWN,
    ],
    from_json,
    ..DECODER
};

fn from_json(architecture: &'static Architecture, fields: &Fields) -> Result<ModelConfig, String> {
    let mut config = decoder::from_json(architecture, fields)?;
    // The class's own, which is not the channels divided among the heads.
    config.head_dim = fields.size("head_dim")?.unwrap_or(128);
    decoder::windows_on_demand(fields, &mut config)?;
    Ok(config)
}
