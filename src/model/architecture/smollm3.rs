//! SmolLM 3: a Llama of which some layers know no positions.

use serde_json::{Value, json};

use super::{
    Architecture, Fields, Keys,
    decoder::{self, DECODER},
};
use crate::model::ModelConfig;

/// Of how many layers the last knows no positions, where the file does not say.
const INTERVAL: usize = 4;

/// SmolLM 3.
pub static SMOLLM3: Architecture = Architecture {
    model_type: "smollm3",
    gguf_name: "smollm3",
    title: "SmolLM3",
    class: "SmolLM3ForCausalLM",
    gguf_keeps_pairs: true,
    from_json,
    to_json,
    from_gguf: Some(from_gguf),
    ..DECODER
};

fn from_json(architecture: &'static Architecture, fields: &Fields) -> Result<ModelConfig, String> {
    let mut config = decoder::from_json(architecture, fields)?;
    config.tie_word_embeddings = fields.flag("tie_word_embeddings")?.unwrap_or(true);
    config.rotary = Some(decoder::rotary(fields, None, 2_000_000.0)?);
    decoder::windows_on_demand(fields, &mut config)?;
    config.unrotated_layers = match fields.value("no_rope_layers").and_then(Value::as_array) {
        // 1 where positions are known.
        Some(known) => known.iter().map(|known| *known == json!(0)).collect(),
        None => {
            let interval = fields.size("no_rope_layer_interval")?.unwrap_or(INTERVAL);
            every(interval, &config)
        }
    };
    let (named, layers) = (config.unrotated_layers.len(), config.num_hidden_layers);
    match named == layers || layers == 0 || named == 0 {
        true => Ok(config),
        false => Err(format!(
            "no_rope_layers names {named} layers, and there are {layers}"
        )),
    }
}

fn from_gguf(architecture: &'static Architecture, keys: &Keys<'_>) -> Result<ModelConfig, String> {
    let mut config = decoder::from_gguf(architecture, keys)?;
    config.unrotated_layers = every(INTERVAL, &config);
    Ok(config)
}

/// The last of each `interval` layers.
fn every(interval: usize, config: &ModelConfig) -> Vec<bool> {
    config.each_layer(|layer| interval > 0 && (layer + 1).is_multiple_of(interval))
}

fn to_json(config: &ModelConfig) -> Value {
    let mut json = decoder::to_json(config);
    let known = config.unrotated_layers.iter();
    json["no_rope_layers"] = known.map(|unknown| u8::from(!unknown)).collect();
    json
}
