//! The shape of the model, from GGUF metadata.

use super::metadata::Metadata;
use crate::model::{Architecture, LlamaConfig, ModelConfig};

/// The key of one of the architecture's own values.
fn key(name: &str) -> String {
    format!("llama.{name}")
}

/// Checks that the file is a whole model of the llama architecture without the extensions that are not computed here.
///
/// # Errors
/// The problem in words.
pub fn check_supported(metadata: &Metadata) -> Result<(), String> {
    match metadata.string("general.architecture")? {
        Some("llama") => {}
        Some(other) => {
            return Err(format!(
                "its architecture is {other}, which is not supported; use a model of the llama architecture"
            ));
        }
        None => return Err("it does not name its architecture (general.architecture)".to_owned()),
    }
    if let Some(count @ 2..) = metadata.unsigned("split.count")? {
        return Err(format!(
            "it is one part of {count}, which is not supported; merge the parts with llama-gguf-split"
        ));
    }
    if let Some(count @ 1..) = metadata.unsigned(&key("expert_count"))? {
        return Err(format!(
            "it is a mixture of {count} experts, which is not supported"
        ));
    }
    match metadata.string(&key("rope.scaling.type"))? {
        None | Some("none") => {}
        Some(kind) => {
            return Err(format!(
                "its rotary positions are scaled ({kind}), which is not supported"
            ));
        }
    }
    Ok(())
}

/// Reads the config. `shape_of` gives the shape of a tensor of the file, by its name there.
///
/// The vocabulary size is the number of rows of the embedding table, because metadata may count tokens instead.
///
/// # Errors
/// The problem in words: a value that is missing, of the wrong type, or that contradicts another.
pub fn read<'a>(
    metadata: &Metadata,
    shape_of: impl Fn(&str) -> Option<&'a [usize]>,
) -> Result<ModelConfig, String> {
    let hidden_size = size(metadata, "embedding_length")?;
    let num_attention_heads = size(metadata, "attention.head_count")?;
    let num_key_value_heads =
        optional_size(metadata, "attention.head_count_kv")?.unwrap_or(num_attention_heads);
    let head_dim = head_dim(metadata, hidden_size, num_attention_heads)?;
    let config = ModelConfig {
        vocab_size: match shape_of("token_embd.weight") {
            Some(&[rows, _]) => rows,
            Some(shape) => return Err(format!("tensor token_embd.weight has shape {shape:?}")),
            None => return Err("tensor token_embd.weight is missing".to_owned()),
        },
        hidden_size,
        intermediate_size: size(metadata, "feed_forward_length")?,
        num_hidden_layers: size(metadata, "block_count")?,
        max_position_embeddings: size(metadata, "context_length")?,
        tie_word_embeddings: shape_of("output.weight").is_none(),
        architecture: Architecture::Llama(LlamaConfig {
            num_attention_heads,
            num_key_value_heads,
            head_dim,
            rms_norm_eps: metadata
                .float(&key("attention.layer_norm_rms_epsilon"))?
                .ok_or("llama.attention.layer_norm_rms_epsilon is missing")?,
            rope_theta: metadata.float(&key("rope.freq_base"))?.unwrap_or(10_000.0),
        }),
    };
    config.validate().map_err(|error| error.to_string())?;
    if let Some(turned) = optional_size(metadata, "rope.dimension_count")?
        && turned != head_dim
    {
        return Err(format!(
            "its rotary positions turn {turned} of {head_dim} channels of a head, which is not supported"
        ));
    }
    Ok(config)
}

/// The head width D: what the file says, or the channels divided among the heads.
fn head_dim(metadata: &Metadata, hidden_size: usize, heads: usize) -> Result<usize, String> {
    let keys = optional_size(metadata, "attention.key_length")?;
    let values = optional_size(metadata, "attention.value_length")?;
    match (keys, values) {
        (Some(keys), Some(values)) if keys != values => Err(format!(
            "its keys have {keys} channels a head and its values {values}, which is not supported"
        )),
        (Some(width), _) | (None, Some(width)) => Ok(width),
        (None, None) if heads > 0 && hidden_size.is_multiple_of(heads) => Ok(hidden_size / heads),
        (None, None) => Err(format!(
            "its {hidden_size} channels cannot be divided among {heads} heads"
        )),
    }
}

fn size(metadata: &Metadata, name: &str) -> Result<usize, String> {
    optional_size(metadata, name)?.ok_or_else(|| format!("{} is missing", key(name)))
}

fn optional_size(metadata: &Metadata, name: &str) -> Result<Option<usize>, String> {
    let key = key(name);
    let Some(number) = metadata.unsigned(&key)? else {
        return Ok(None);
    };
    match usize::try_from(number) {
        Ok(size) => Ok(Some(size)),
        Err(_) => Err(format!("{key} is {number}, which is absurd")),
    }
}
