//! Mistral: a Llama whose queries see a window of keys.

use super::{
    Architecture, Fields,
    decoder::{self, DECODER},
};
use crate::model::ModelConfig;

/// Mistral. GGUF calls it llama, and keeps no window.
pub static MISTRAL: Architecture = Architecture {
    model_type: "mistral",
    title: "Mistral",
    class: "MistralForCausalLM",
    gguf_keeps_pairs: true,
    from_json,
    from_gguf: None,
    ..DECODER
};

fn from_json(architecture: &'static Architecture, fields: &Fields) -> Result<ModelConfig, String> {
    let mut config = decoder::from_json(architecture, fields)?;
    config.sliding_window = fields.size("sliding_window")?;
    if config.sliding_window.is_some() {
        config.sliding_layers = config.each_layer(|_| true);
    }
    Ok(config)
}
