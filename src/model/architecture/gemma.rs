//! What the Gemma architectures share: norms after attention and the feed-forward layer too, GeGLU, scaled embeddings.

use serde_json::Value;

use super::{
    Architecture, Fields, Keys, Module, Norm,
    decoder::{
        self, ATTENTION_OUTPUT, DECODER, DOWN, GATE, KEY_NORM, KEYS, QUERIES, QUERY_NORM, UP,
        VALUES,
    },
};
use crate::model::{Activation, ModelConfig, Rotary, RotaryScaling};

const BEFORE_ATTENTION: Module = Module::norm(Norm::Attention, "input_layernorm", "attn_norm");
const AFTER_ATTENTION: Module = Module::norm(
    Norm::AttentionOutput,
    "post_attention_layernorm",
    "post_attention_norm",
);
const BEFORE_FEED_FORWARD: Module =
    Module::norm(Norm::FeedForward, "pre_feedforward_layernorm", "ffn_norm");
const AFTER_FEED_FORWARD: Module = Module::norm(
    Norm::FeedForwardOutput,
    "post_feedforward_layernorm",
    "post_ffw_norm",
);

/// What both say of themselves.
const GEMMA: Architecture = Architecture {
    rms_plus_one: true,
    to_json,
    ..DECODER
};

/// Of how many layers the last sees all keys.
const GEMMA2_PATTERN: usize = 2;
/// As [`GEMMA2_PATTERN`].
const GEMMA3_PATTERN: usize = 6;
/// Base of the frequencies in Gemma 3's layers with a window.
const GEMMA3_SLIDING_THETA: f64 = 10_000.0;
/// Base of the frequencies in Gemma 3's other layers.
const GEMMA3_THETA: f64 = 1_000_000.0;

/// Gemma 2, which bounds scores and logits.
pub static GEMMA2: Architecture = Architecture {
    model_type: "gemma2",
    gguf_name: "gemma2",
    title: "Gemma 2",
    class: "Gemma2ForCausalLM",
    modules: &[
        BEFORE_ATTENTION,
        QUERIES,
        KEYS,
        VALUES,
        ATTENTION_OUTPUT,
        AFTER_ATTENTION,
        BEFORE_FEED_FORWARD,
        GATE,
        UP,
        DOWN,
        AFTER_FEED_FORWARD,
    ],
    from_json: gemma2_from_json,
    from_gguf: Some(gemma2_from_gguf),
    ..GEMMA
};

/// Gemma 3 for text, which norms queries and keys, and turns them in layers with a window by other frequencies.
pub static GEMMA3: Architecture = Architecture {
    model_type: "gemma3_text",
    gguf_name: "gemma3",
    title: "Gemma 3",
    class: "Gemma3ForCausalLM",
    modules: &[
        BEFORE_ATTENTION,
        QUERIES,
        QUERY_NORM,
        KEYS,
        KEY_NORM,
        VALUES,
        ATTENTION_OUTPUT,
        AFTER_ATTENTION,
        BEFORE_FEED_FORWARD,
        GATE,
        UP,
        DOWN,
        AFTER_FEED_FORWARD,
    ],
    from_json: gemma3_from_json,
    from_gguf: Some(gemma3_from_gguf),
    ..GEMMA
};

/// What both read alike. Head widths and the scale of attention have the defaults of transformers' classes.
fn from_json(
    architecture: &'static Architecture,
    fields: &Fields,
    pattern: usize,
) -> Result<ModelConfig, String> {
    decoder::check_activation(fields, "hidden_activation", "gelu_pytorch_tanh")?;
    if fields.flag("use_bidirectional_attention")? == Some(true) {
        return Err(
            "use_bidirectional_attention is not supported; use a model without it".to_owned(),
        );
    }
    let mut config = decoder::sizes_from_json(architecture, fields)?;
    config.head_dim = fields.size("head_dim")?.unwrap_or(256);
    config.tie_word_embeddings = fields.flag("tie_word_embeddings")?.unwrap_or(true);
    let scalar = fields.number("query_pre_attn_scalar")?.unwrap_or(256.0);
    config.attention_scale = Some(1.0 / scalar.sqrt());
    config.sliding_window = Some(fields.size("sliding_window")?.unwrap_or(4096));
    config.sliding_layers = decoder::sliding_layers(fields, &config, slides(pattern))?;
    Ok(shared(config))
}

/// What both read alike.
fn from_gguf(
    architecture: &'static Architecture,
    keys: &Keys<'_>,
    pattern: usize,
) -> Result<ModelConfig, String> {
    let mut config = decoder::from_gguf(architecture, keys)?;
    config.sliding_window = Some(keys.required("attention.sliding_window")?);
    config.sliding_layers = config.each_layer(slides(pattern));
    Ok(shared(config))
}

fn shared(config: ModelConfig) -> ModelConfig {
    ModelConfig {
        activation: Activation::GeluTanh,
        embedding_multiplier: (config.hidden_size as f64).sqrt(),
        ..config
    }
}

/// Whether a layer has a window, where the last of each `pattern` layers has none.
fn slides(pattern: usize) -> impl Fn(usize) -> bool {
    move |layer| pattern > 0 && !(layer + 1).is_multiple_of(pattern)
}

fn gemma2_from_json(
    architecture: &'static Architecture,
    fields: &Fields,
) -> Result<ModelConfig, String> {
    let config = from_json(architecture, fields, GEMMA2_PATTERN)?;
    Ok(ModelConfig {
        rotary: Some(decoder::rotary(fields, None, 10_000.0)?),
        attention_softcap: fields.number("attn_logit_softcapping")?,
        logits_softcap: fields.number("final_logit_softcapping")?,
        ..config
    })
}

fn gemma2_from_gguf(
    architecture: &'static Architecture,
    keys: &Keys<'_>,
) -> Result<ModelConfig, String> {
    let config = from_gguf(architecture, keys, GEMMA2_PATTERN)?;
    Ok(ModelConfig {
        attention_softcap: keys.number("attn_logit_softcapping")?,
        logits_softcap: keys.number("final_logit_softcapping")?,
        ..config
    })
}

fn gemma3_from_json(
    architecture: &'static Architecture,
    fields: &Fields,
) -> Result<ModelConfig, String> {
    let pattern = match fields.size("sliding_window_pattern")? {
        Some(pattern) => pattern,
        None => fields
            .size("_sliding_window_pattern")?
            .unwrap_or(GEMMA3_PATTERN),
    };
    let config = from_json(architecture, fields, pattern)?;
    let sliding = match fields.value("rope_parameters") {
        Some(_) => decoder::rotary(fields, Some("sliding_attention"), GEMMA3_SLIDING_THETA)?,
        // Only the other layers are scaled.
        None => {
            let theta = fields.number("rope_local_base_freq")?;
            Rotary::plain(theta.unwrap_or(GEMMA3_SLIDING_THETA))
        }
    };
    if sliding.scaling != RotaryScaling::None {
        return Err("scaled positions in layers with a window are not supported".to_owned());
    }
    Ok(ModelConfig {
        rotary: Some(decoder::rotary(
            fields,
            Some("full_attention"),
            GEMMA3_THETA,
        )?),
        sliding_rotary: Some(sliding),
        attention_softcap: fields.number("attn_logit_softcapping")?,
        logits_softcap: fields.number("final_logit_softcapping")?,
        ..config
    })
}

fn gemma3_from_gguf(
    architecture: &'static Architecture,
    keys: &Keys<'_>,
) -> Result<ModelConfig, String> {
    let pattern = keys.size("attention.sliding_window_pattern")?;
    let config = from_gguf(architecture, keys, pattern.unwrap_or(GEMMA3_PATTERN))?;
    let theta = keys.number("rope.freq_base_swa")?;
    Ok(ModelConfig {
        sliding_rotary: Some(Rotary::plain(theta.unwrap_or(GEMMA3_SLIDING_THETA))),
        logits_softcap: keys.number("final_logit_softcapping")?,
        ..config
    })
}

fn to_json(config: &ModelConfig) -> Value {
    let mut json = decoder::to_json(config);
    json["hidden_activation"] = "gelu_pytorch_tanh".into();
    let scale = config.scale_of_scores();
    // The number that the root was taken of has few digits.
    let scalar = (1e6 / (scale * scale)).round() / 1e6;
    // transformers refuses 256.0.
    json["query_pre_attn_scalar"] = match scalar.fract() == 0.0 {
        true => (scalar as u64).into(),
        false => scalar.into(),
    };
    json["attn_logit_softcapping"] = config.attention_softcap.into();
    json["final_logit_softcapping"] = config.logits_softcap.into();
    json
}
