//! What Llama has, and with additions most architectures since: its names, its config and its metadata.

use serde_json::{Value, json};

use super::{Architecture, Fields, Keys, Module, Norm, Projection, name};
use crate::model::{Activation, ModelConfig, Rotary, RotaryScaling, Target};

/// Llama's block without biases or norms inside, which other architectures share.
pub const BLOCK: &[Module] = &[
    Module::norm(Norm::Attention, "input_layernorm", "attn_norm"),
    QUERIES,
    KEYS,
    VALUES,
    ATTENTION_OUTPUT,
    Module::norm(Norm::FeedForward, "post_attention_layernorm", "ffn_norm"),
    GATE,
    UP,
    DOWN,
];

/// Linear layers under their usual names.
pub const QUERIES: Module = Module::linear(
    Projection::Queries,
    Target::QProj,
    "self_attn.q_proj",
    "attn_q",
);
/// As [`QUERIES`].
pub const KEYS: Module = Module::linear(
    Projection::Keys,
    Target::KProj,
    "self_attn.k_proj",
    "attn_k",
);
/// As [`QUERIES`].
pub const VALUES: Module = Module::linear(
    Projection::Values,
    Target::VProj,
    "self_attn.v_proj",
    "attn_v",
);
/// As [`QUERIES`].
pub const ATTENTION_OUTPUT: Module = Module::linear(
    Projection::AttentionOutput,
    Target::OProj,
    "self_attn.o_proj",
    "attn_output",
);
/// As [`QUERIES`].
pub const GATE: Module = Module::linear(
    Projection::Gate,
    Target::GateProj,
    "mlp.gate_proj",
    "ffn_gate",
);
/// As [`QUERIES`].
pub const UP: Module = Module::linear(Projection::Up, Target::UpProj, "mlp.up_proj", "ffn_up");
/// As [`QUERIES`].
pub const DOWN: Module = Module::linear(
    Projection::Down,
    Target::DownProj,
    "mlp.down_proj",
    "ffn_down",
);
/// Norms of queries and keys under their usual names.
pub const QUERY_NORM: Module = Module::norm(Norm::Queries, "self_attn.q_norm", "attn_q_norm");
/// As [`QUERY_NORM`].
pub const KEY_NORM: Module = Module::norm(Norm::Keys, "self_attn.k_norm", "attn_k_norm");

/// Llama, as what others change.
pub const DECODER: Architecture = Architecture {
    model_type: "llama",
    gguf_name: "llama",
    title: "Llama",
    class: "LlamaForCausalLM",
    prefix: None,
    embedding: name("model.embed_tokens", "token_embd"),
    positions: None,
    blocks: "model.layers",
    modules: BLOCK,
    final_norm: Module::norm(Norm::Attention, "model.norm", "output_norm"),
    head: name("lm_head", "output"),
    computed: &[],
    stores_columns: false,
    gguf_keeps_pairs: false,
    rms_plus_one: false,
    norms_all_heads: false,
    interleaves_heads: false,
    json_names: &[("norm_eps", "rms_norm_eps")],
    from_json,
    to_json,
    from_gguf: Some(from_gguf),
};

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
    check_activation(fields, "hidden_act", "silu")?;
    let config = sizes_from_json(architecture, fields)?;
    Ok(ModelConfig {
        rotary: Some(rotary(fields, None, 10_000.0)?),
        ..config
    })
}

/// Everything but positions and activation.
///
/// # Errors
/// As [`from_json`].
pub fn sizes_from_json(
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
        None => divided(hidden_size, num_attention_heads)?,
    };
    let positions = fields.size("max_position_embeddings")?;
    Ok(ModelConfig {
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
        ..ModelConfig::of(architecture)
    })
}

/// The width of a head, where all together have the channels of the residual stream.
///
/// # Errors
/// Channels that cannot be divided.
pub fn divided(hidden_size: usize, heads: usize) -> Result<usize, String> {
    match heads > 0 && hidden_size.is_multiple_of(heads) {
        true => Ok(hidden_size / heads),
        false => Err(format!(
            "its hidden_size {hidden_size} cannot be divided among {heads} heads"
        )),
    }
}

/// Checks that the field `name` is `expected` where it is there.
///
/// # Errors
/// Another activation.
pub fn check_activation(fields: &Fields, name: &str, expected: &str) -> Result<(), String> {
    match fields.text(name)? {
        Some(other) if other != expected => Err(format!(
            "{name} {other} is not supported; use a model with {expected}"
        )),
        _ => Ok(()),
    }
}

/// What is said of weights that were made smaller for another program.
pub const QUANTISED: &str =
    "quantization_config is not supported; use the model as it was before, or a GGUF file of it";

/// Refuses what classes of transformers can do and this program does not compute.
fn check_extensions(fields: &Fields) -> Result<(), String> {
    let unsupported = |what: &str| Err(format!("{what} is not supported; use a model without it"));
    let flags = ["attention_bias", "mlp_bias", "rope_interleaved"];
    if let Some(name) = fields.first_set(&flags)? {
        return unsupported(name);
    }
    match fields.value("quantization_config") {
        Some(_) => Err(QUANTISED.to_owned()),
        None => Ok(()),
    }
}

/// Rotary positions in the form of transformers 5, `rope_parameters`, or else in that of transformers 4, `rope_theta` and
/// `rope_scaling`. Where both are there, `rope_scaling` counts before `rope_parameters` and that before `rope_theta`, as in
/// transformers 5.
///
/// `kind` is the kind of layers, where `rope_parameters` tells them apart; `usual` is the base where the file says none.
///
/// # Errors
/// A scaling that is not computed here, or values that are missing.
pub fn rotary(fields: &Fields, kind: Option<&str>, usual: f64) -> Result<Rotary, String> {
    let older = fields.number("rope_theta")?.unwrap_or(usual);
    let partial = fields.number("partial_rotary_factor")?;
    let newer = fields.object("rope_parameters")?;
    let scaling = fields.object("rope_scaling")?;
    let (name, parameters, theta) = match (newer, scaling.filter(|it| !it.has_only(&[]))) {
        (Some(_), Some(_)) if kind.is_some() => {
            return Err(
                "rope_scaling and rope_parameters are both there; take out the one that is wrong"
                    .to_owned(),
            );
        }
        (newer, Some(scaling)) => {
            let theta = match scaling.number("rope_theta")? {
                Some(theta) => theta,
                None if newer.is_none() || fields.value("rope_theta").is_some() => older,
                None => {
                    return Err(format!(
                        "rope_scaling {scaling} counts beside rope_parameters, as in transformers 5, and no rope_theta belongs to it; keep one of both"
                    ));
                }
            };
            ("rope_scaling", Some(scaling), theta)
        }
        (Some(all), None) => {
            let of_kind = match kind {
                Some(kind) => all.object(kind)?,
                None => None,
            };
            let parameters = of_kind.unwrap_or(all);
            let theta = match parameters.number("rope_theta")? {
                Some(theta) => theta,
                None if fields.value("rope_theta").is_some() => older,
                None => {
                    return Err(format!(
                        "rope_parameters {parameters} has no rope_theta, without which positions are unknown"
                    ));
                }
            };
            ("rope_parameters", Some(parameters), theta)
        }
        (None, None) => ("rope_scaling", None, older),
    };
    let mut rotary = Rotary {
        share: partial.unwrap_or(1.0),
        ..Rotary::plain(theta)
    };
    let Some(parameters) = parameters else {
        return Ok(rotary);
    };
    if let Some(share) = parameters.number("partial_rotary_factor")? {
        rotary.share = share;
    }
    let wrong = |problem: &str| Err(format!("{name} {parameters} {problem}"));
    let kind = match parameters.text("rope_type")? {
        Some(kind) => Some(kind),
        None => parameters.text("type")?,
    };
    let number = |field: &str| -> Result<f64, String> {
        match parameters.number(field)? {
            Some(number) => Ok(number),
            None => Err(format!("{name} {parameters} has no {field}")),
        }
    };
    rotary.scaling = match kind {
        Some("default") => RotaryScaling::None,
        Some("linear") => RotaryScaling::Linear {
            factor: number("factor")?,
        },
        Some("llama3") => RotaryScaling::Llama3 {
            factor: number("factor")?,
            low_frequency: number("low_freq_factor")?,
            high_frequency: number("high_freq_factor")?,
            positions: number("original_max_position_embeddings")?,
        },
        Some(other) => {
            return wrong(&format!(
                "scales positions as {other}, which is not supported; use a model with one of default, linear and llama3"
            ));
        }
        // Without a type only the base and the share may stand there.
        None if parameters.has_only(&["rope_theta", "partial_rotary_factor"]) => {
            RotaryScaling::None
        }
        None => {
            return wrong(
                "does not say its rope_type, and is not supported; take the config.json of the model's own repository",
            );
        }
    };
    Ok(rotary)
}

/// Which layers slide, where `use_sliding_window` asks for it: those that `layer_types` names, else those from
/// `max_window_layers` on.
///
/// # Errors
/// Values of other types.
pub fn windows_on_demand(fields: &Fields, config: &mut ModelConfig) -> Result<(), String> {
    let window = fields.size("sliding_window")?;
    if fields.flag("use_sliding_window")? != Some(true) || window.is_none() {
        return Ok(());
    }
    let full = fields.size("max_window_layers")?.unwrap_or(0);
    config.sliding_window = window;
    config.sliding_layers = sliding_layers(fields, config, |layer| layer >= full)?;
    Ok(())
}

/// Which layers slide: those that `layer_types` names, else those that `usual` says.
///
/// # Errors
/// Types that are not one a layer, or of another kind of attention.
pub fn sliding_layers(
    fields: &Fields,
    config: &ModelConfig,
    usual: impl Fn(usize) -> bool,
) -> Result<Vec<bool>, String> {
    let Some(types) = fields.value("layer_types") else {
        return Ok(config.each_layer(usual));
    };
    let types = types.as_array().map(Vec::as_slice).unwrap_or_default();
    let layers = config.num_hidden_layers;
    if types.len() != layers {
        return Err(format!(
            "layer_types names {} layers, and there are {layers}",
            types.len()
        ));
    }
    let slides = |kind: &Value| match kind.as_str() {
        Some("sliding_attention") => Ok(true),
        Some("full_attention") => Ok(false),
        _ => Err(format!(
            "layer_types names {kind}, which is not supported; full_attention and sliding_attention are"
        )),
    };
    types.iter().map(slides).collect()
}

/// What `config.json` says of a config.
pub fn to_json(config: &ModelConfig) -> Value {
    let mut json = json!({
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_hidden_layers,
        "max_position_embeddings": config.max_position_embeddings,
        "num_attention_heads": config.num_attention_heads,
        "num_key_value_heads": config.num_key_value_heads,
        "head_dim": config.head_dim,
        "rms_norm_eps": config.norm_eps,
        "hidden_act": match config.activation {
            Activation::Silu => "silu",
            Activation::GeluTanh => "gelu_pytorch_tanh",
            Activation::Gelu => "gelu",
        },
        "attention_bias": false,
        "mlp_bias": false,
    });
    let mut put = |name: &str, value: Value| json[name] = value;
    if let Some(rotary) = &config.rotary {
        put("rope_theta", rotary.theta.into());
        if rotary.share != 1.0 {
            put("partial_rotary_factor", rotary.share.into());
        }
        match rotary.scaling {
            RotaryScaling::None => {}
            RotaryScaling::Linear { factor } => put(
                "rope_scaling",
                json!({ "rope_type": "linear", "factor": factor }),
            ),
            RotaryScaling::Llama3 {
                factor,
                low_frequency,
                high_frequency,
                positions,
            } => put(
                "rope_scaling",
                json!({
                    "rope_type": "llama3",
                    "factor": factor,
                    "low_freq_factor": low_frequency,
                    "high_freq_factor": high_frequency,
                    "original_max_position_embeddings": positions as u64,
                }),
            ),
        }
    }
    if let Some(rotary) = &config.sliding_rotary {
        put("rope_local_base_freq", rotary.theta.into());
    }
    if let Some(window) = config.sliding_window {
        put("sliding_window", window.into());
        put("use_sliding_window", true.into());
        let kind = |slides: &bool| match slides {
            true => "sliding_attention",
            false => "full_attention",
        };
        let kinds: Vec<&str> = config.sliding_layers.iter().map(kind).collect();
        put("layer_types", kinds.into());
    }
    json
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
    let norm_eps = keys.required_number("attention.layer_norm_rms_epsilon")?;
    let config = sizes_from_gguf(architecture, keys)?;
    Ok(ModelConfig { norm_eps, ..config })
}

/// Everything but what norms add.
///
/// # Errors
/// As [`from_gguf`].
pub fn sizes_from_gguf(
    architecture: &'static Architecture,
    keys: &Keys<'_>,
) -> Result<ModelConfig, String> {
    if let Some(count @ 1..) = keys.size("expert_count")? {
        return Err(format!(
            "it is a mixture of {count} experts, which is not supported; use a model without them"
        ));
    }
    let hidden_size = keys.required("embedding_length")?;
    let num_attention_heads = keys.required("attention.head_count")?;
    let key_heads = keys.size("attention.head_count_kv")?;
    let head_dim = keys.head_dim(hidden_size, num_attention_heads)?;
    let rotary = match architecture.positions {
        Some(_) => None,
        None => Some(keys.rotary(head_dim)?),
    };
    let turned = rotary.as_ref().map(|rotary| rotary.turned(head_dim));
    if let Some(turned) = turned.filter(|&turned| turned != head_dim)
        && architecture.gguf_keeps_pairs
    {
        return Err(format!(
            "its rotary positions turn {turned} of {head_dim} channels of a head, which is not supported; use the model's .safetensors folder"
        ));
    }
    Ok(ModelConfig {
        vocab_size: keys.table_rows(architecture.embedding)?,
        hidden_size,
        intermediate_size: keys.required("feed_forward_length")?,
        num_hidden_layers: keys.required("block_count")?,
        max_position_embeddings: keys.required("context_length")?,
        tie_word_embeddings: !keys.has_weight(architecture.head),
        num_attention_heads,
        num_key_value_heads: key_heads.unwrap_or(num_attention_heads),
        head_dim,
        rotary,
        ..ModelConfig::of(architecture)
    })
}
