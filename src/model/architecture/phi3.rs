//! Phi 3: a Llama with one layer for queries, keys and values, and one for gate and values of the feed-forward layer.

use super::{
    Architecture, Fields, Keys, Module, Norm, Projection,
    decoder::{self, ATTENTION_OUTPUT, DECODER, DOWN},
};
use crate::model::{ModelConfig, Target};

/// Phi 3 and Phi 4 mini.
pub static PHI3: Architecture = Architecture {
    model_type: "phi3",
    gguf_name: "phi3",
    title: "Phi-3",
    class: "Phi3ForCausalLM",
    modules: &[
        Module::norm(Norm::Attention, "input_layernorm", "attn_norm"),
        Module::linear(
            Projection::QueriesKeysValues,
            Target::QkvProj,
            "self_attn.qkv_proj",
            "attn_qkv",
        ),
        ATTENTION_OUTPUT,
        Module::norm(Norm::FeedForward, "post_attention_layernorm", "ffn_norm"),
        Module::linear(
            Projection::GateUp,
            Target::GateUpProj,
            "mlp.gate_up_proj",
            "ffn_up",
        ),
        DOWN,
    ],
    from_json,
    from_gguf: Some(from_gguf),
    ..DECODER
};

fn from_json(architecture: &'static Architecture, fields: &Fields) -> Result<ModelConfig, String> {
    let config = decoder::from_json(architecture, fields)?;
    let window = fields.size("sliding_window")?;
    Ok(with_window(
        ModelConfig {
            norm_eps: fields.number("rms_norm_eps")?.unwrap_or(1e-5),
            ..config
        },
        window,
    ))
}

fn from_gguf(architecture: &'static Architecture, keys: &Keys<'_>) -> Result<ModelConfig, String> {
    for factors in ["rope_factors_long.weight", "rope_factors_short.weight"] {
        if keys.has(factors) {
            return Err(format!(
                "its rotary positions are scaled (longrope, {factors}), which is not supported; use the variant with the shorter context"
            ));
        }
    }
    let config = decoder::from_gguf(architecture, keys)?;
    // 0 stands for none.
    let window = keys.size("attention.sliding_window")?;
    Ok(with_window(config, window.filter(|&window| window > 0)))
}

/// All layers have the window.
fn with_window(config: ModelConfig, window: Option<usize>) -> ModelConfig {
    ModelConfig {
        sliding_layers: match window {
            Some(_) => config.each_layer(|_| true),
            None => Vec::new(),
        },
        sliding_window: window,
        ..config
    }
}
