//! GPT-NeoX, as Pythia has it: LayerNorm, attention and feed-forward layer side by side, positions that turn a part of a
//! head, one layer for queries, keys and values whose rows are those of one head after another; biases.

use serde_json::{Value, json};

use super::{
    Architecture, Fields, Keys, Module, Norm, Projection,
    decoder::{self, DECODER},
    name,
};
use crate::model::{Activation, ModelConfig, Rotary, RotaryScaling, Target};

/// GPT-NeoX.
pub static GPT_NEOX: Architecture = Architecture {
    model_type: "gpt_neox",
    gguf_name: "gptneox",
    title: "GPT-NeoX",
    class: "GPTNeoXForCausalLM",
    embedding: name("gpt_neox.embed_in", "token_embd"),
    blocks: "gpt_neox.layers",
    modules: &[
        Module::norm(Norm::Attention, "input_layernorm", "attn_norm").with_bias(),
        Module::linear(
            Projection::QueriesKeysValues,
            Target::QueryKeyValue,
            "attention.query_key_value",
            "attn_qkv",
        )
        .with_bias(),
        Module::linear(
            Projection::AttentionOutput,
            Target::Dense,
            "attention.dense",
            "attn_output",
        )
        .with_bias(),
        Module::norm(Norm::FeedForward, "post_attention_layernorm", "ffn_norm").with_bias(),
        Module::linear(
            Projection::Up,
            Target::DenseHTo4h,
            "mlp.dense_h_to_4h",
            "ffn_up",
        )
        .with_bias(),
        Module::linear(
            Projection::Down,
            Target::Dense4hToH,
            "mlp.dense_4h_to_h",
            "ffn_down",
        )
        .with_bias(),
    ],
    final_norm: Module::norm(Norm::Attention, "gpt_neox.final_layer_norm", "output_norm")
        .with_bias(),
    head: name("embed_out", "output"),
    // Causal masks, and frequencies.
    computed: &[".attention.bias"],
    interleaves_heads: true,
    json_names: &[("norm_eps", "layer_norm_eps")],
    from_json,
    to_json,
    from_gguf: Some(from_gguf),
    ..DECODER
};

fn from_json(architecture: &'static Architecture, fields: &Fields) -> Result<ModelConfig, String> {
    fields.check_class(architecture.class)?;
    if fields.value("quantization_config").is_some() {
        return Err(decoder::QUANTISED.to_owned());
    }
    if fields.flag("attention_bias")? == Some(false) {
        return Err("attention_bias false is not supported; use a model with it".to_owned());
    }
    let activation = match fields.text("hidden_act")? {
        None | Some("gelu") => Activation::Gelu,
        Some("gelu_new" | "gelu_pytorch_tanh" | "gelu_fast") => Activation::GeluTanh,
        Some(other) => {
            return Err(format!(
                "hidden_act {other} is not supported; use a model with gelu"
            ));
        }
    };
    let hidden_size = fields.required("hidden_size")?;
    let heads = fields.required("num_attention_heads")?;
    let older_theta = fields.number("rotary_emb_base")?.unwrap_or(10_000.0);
    let mut rotary = decoder::rotary(fields, None, older_theta)?;
    if fields.value("rope_parameters").is_none() {
        rotary.share = fields.number("rotary_pct")?.unwrap_or(0.25);
    }
    let positions = fields.size("max_position_embeddings")?;
    let parallel = fields.flag("use_parallel_residual")?;
    Ok(ModelConfig {
        vocab_size: fields.required("vocab_size")?,
        hidden_size,
        intermediate_size: fields.required("intermediate_size")?,
        num_hidden_layers: fields.required("num_hidden_layers")?,
        max_position_embeddings: positions.unwrap_or(2048),
        tie_word_embeddings: fields.flag("tie_word_embeddings")?.unwrap_or(false),
        num_attention_heads: heads,
        num_key_value_heads: heads,
        head_dim: decoder::divided(hidden_size, heads)?,
        norm_eps: fields.number("layer_norm_eps")?.unwrap_or(1e-5),
        activation,
        rotary: Some(rotary),
        parallel_residual: parallel.unwrap_or(true),
        ..ModelConfig::of(architecture)
    })
}

fn from_gguf(architecture: &'static Architecture, keys: &Keys<'_>) -> Result<ModelConfig, String> {
    let config = decoder::sizes_from_gguf(architecture, keys)?;
    let parallel = keys.flag("use_parallel_residual")?;
    Ok(ModelConfig {
        norm_eps: keys.required_number("attention.layer_norm_epsilon")?,
        activation: Activation::Gelu,
        parallel_residual: parallel.unwrap_or(true),
        ..config
    })
}

fn to_json(config: &ModelConfig) -> Value {
    let plain = Rotary::plain(10_000.0);
    let rotary = config.rotary.as_ref().unwrap_or(&plain);
    let mut json = json!({
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_hidden_layers,
        "max_position_embeddings": config.max_position_embeddings,
        "num_attention_heads": config.num_attention_heads,
        "layer_norm_eps": config.norm_eps,
        "hidden_act": match config.activation {
            Activation::GeluTanh => "gelu_new",
            _ => "gelu",
        },
        "rotary_emb_base": rotary.theta,
        "rotary_pct": rotary.share,
        "use_parallel_residual": config.parallel_residual,
        "attention_bias": true,
    });
    if let RotaryScaling::Linear { factor } = rotary.scaling {
        json["rope_scaling"] = json!({ "rope_type": "linear", "factor": factor });
    }
    json
}
