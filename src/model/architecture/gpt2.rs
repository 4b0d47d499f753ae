//! GPT-2: LayerNorm, learned positions, one layer for queries, keys and values, GELU; biases.

use serde_json::{Value, json};

use super::{
    Architecture, Fields, Keys, Module, Norm, Projection,
    decoder::{self, DECODER},
    name,
};
use crate::model::{Activation, ConfigError, ModelConfig, Target};

/// GPT-2, whose linear layers are transformers' `Conv1D`.
pub static GPT2: Architecture = Architecture {
    model_type: "gpt2",
    gguf_name: "gpt2",
    title: "GPT-2",
    class: "GPT2LMHeadModel",
    prefix: Some("transformer."),
    embedding: name("transformer.wte", "token_embd"),
    positions: Some(name("transformer.wpe", "position_embd")),
    blocks: "transformer.h",
    modules: &[
        Module::norm(Norm::Attention, "ln_1", "attn_norm").with_bias(),
        Module::linear(
            Projection::QueriesKeysValues,
            Target::CAttn,
            "attn.c_attn",
            "attn_qkv",
        )
        .with_bias(),
        Module::linear(
            Projection::AttentionOutput,
            Target::OProj,
            "attn.c_proj",
            "attn_output",
        )
        .with_bias(),
        Module::norm(Norm::FeedForward, "ln_2", "ffn_norm").with_bias(),
        Module::linear(Projection::Up, Target::UpProj, "mlp.c_fc", "ffn_up").with_bias(),
        Module::linear(Projection::Down, Target::DownProj, "mlp.c_proj", "ffn_down").with_bias(),
    ],
    final_norm: Module::norm(Norm::Attention, "transformer.ln_f", "output_norm").with_bias(),
    head: name("lm_head", "output"),
    // The causal mask, and what it is filled with.
    computed: &[".attn.bias"],
    stores_columns: true,
    json_names: &[
        ("hidden_size", "n_embd"),
        ("intermediate_size", "n_inner"),
        ("num_hidden_layers", "n_layer"),
        ("num_attention_heads", "n_head"),
        ("max_position_embeddings", "n_positions"),
        ("norm_eps", "layer_norm_epsilon"),
    ],
    from_json,
    to_json,
    from_gguf: Some(from_gguf),
    ..DECODER
};

/// Sizes are required although `GPT2Config` has defaults for them, as for a Llama.
fn from_json(architecture: &'static Architecture, fields: &Fields) -> Result<ModelConfig, String> {
    fields.check_class(architecture.class)?;
    check_extensions(fields)?;
    let hidden_size = fields.required("n_embd")?;
    let num_attention_heads = fields.required("n_head")?;
    if num_attention_heads == 0 || !hidden_size.is_multiple_of(num_attention_heads) {
        return Err(format!(
            "its n_embd {hidden_size} cannot be divided among {num_attention_heads} heads (n_head)"
        ));
    }
    let inner = fields.size("n_inner")?;
    let config = ModelConfig {
        vocab_size: fields.required("vocab_size")?,
        hidden_size,
        // Saturating, because the file may say anything; the check below refuses what is absurd.
        intermediate_size: inner.unwrap_or(hidden_size.saturating_mul(4)),
        num_hidden_layers: fields.required("n_layer")?,
        max_position_embeddings: fields.required("n_positions")?,
        tie_word_embeddings: fields.flag("tie_word_embeddings")?.unwrap_or(true),
        num_attention_heads,
        num_key_value_heads: num_attention_heads,
        head_dim: hidden_size / num_attention_heads,
        norm_eps: fields.number("layer_norm_epsilon")?.unwrap_or(1e-5),
        activation: Activation::GeluTanh,
        ..ModelConfig::of(architecture)
    };
    config.validate().map_err(|error| {
        let field = match (error.field, inner) {
            ("n_inner", None) => "n_inner (4 n_embd)",
            (field, _) => field,
        };
        ConfigError { field, ..error }.to_string()
    })?;
    Ok(config)
}

/// Refuses what `GPT2LMHeadModel` can do and this program does not compute.
fn check_extensions(fields: &Fields) -> Result<(), String> {
    match fields.text("activation_function")? {
        // The second is the first under torch's name.
        None | Some("gelu_new" | "gelu_pytorch_tanh") => {}
        Some(other) => {
            return Err(format!(
                "activation_function {other} is not supported; use a model with gelu_new"
            ));
        }
    }
    let scaled = fields.flag("scale_attn_weights")? == Some(false);
    let set = fields.first_set(&["scale_attn_by_inverse_layer_idx", "add_cross_attention"])?;
    let quantised = fields.value("quantization_config").is_some();
    let refused = scaled
        .then_some("scale_attn_weights")
        .or(set)
        .or(quantised.then_some("quantization_config"));
    match refused {
        Some(name) => Err(format!(
            "{name} differs from GPT-2's own, which is not supported; use a plain GPT-2"
        )),
        None => Ok(()),
    }
}

fn from_gguf(architecture: &'static Architecture, keys: &Keys<'_>) -> Result<ModelConfig, String> {
    let config = decoder::sizes_from_gguf(architecture, keys)?;
    Ok(ModelConfig {
        norm_eps: keys.required_number("attention.layer_norm_epsilon")?,
        activation: Activation::GeluTanh,
        ..config
    })
}

fn to_json(config: &ModelConfig) -> Value {
    json!({
        "n_embd": config.hidden_size,
        "n_inner": config.intermediate_size,
        "n_layer": config.num_hidden_layers,
        "n_positions": config.max_position_embeddings,
        "n_head": config.num_attention_heads,
        "layer_norm_epsilon": config.norm_eps,
        "activation_function": "gelu_new",
    })
}
