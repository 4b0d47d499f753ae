//! Qwen 2 and 2.5: a Llama with biases of queries, keys and values.

use super::{
    Architecture, Fields, Module, Norm,
    decoder::{self, ATTENTION_OUTPUT, DECODER, DOWN, GATE, KEYS, QUERIES, UP, VALUES},
};
use crate::model::ModelConfig;

/// Qwen 2 and 2.5.
pub static QWEN2: Architecture = Architecture {
    model_type: "qwen2",
    gguf_name: "qwen2",
    title: "Qwen2",
    class: "Qwen2ForCausalLM",
    modules: &[
        Module::norm(Norm::Attention, "input_layernorm", "attn_norm"),
        QUERIES.with_bias(),
        KEYS.with_bias(),
        VALUES.with_bias(),
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
    decoder::windows_on_demand(fields, &mut config)?;
    Ok(config)
}
