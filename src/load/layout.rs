//! Which tensors a Llama model has.

use std::collections::HashMap;

use super::{error::LoadError, tensor::StoredTensor};
use crate::model::ModelConfig;

/// A tensor that a model needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededTensor {
    /// Hugging Face's name.
    pub name: String,
    /// Name in a GGUF file.
    pub gguf_name: String,
    /// Shape as torch has it.
    pub shape: Vec<usize>,
    /// Whether rotary positions turn its rows, which GGUF files keep in another order.
    pub rotary: bool,
}

/// The tensors of a model in the order in which a forward pass meets them.
///
/// An iterator, because a lying file may ask for millions of layers: whoever walks through it stops at the first
/// tensor that the file lacks.
pub fn needed_tensors(config: &ModelConfig) -> impl Iterator<Item = NeededTensor> + '_ {
    let hidden = config.hidden_size;
    let table = vec![config.vocab_size, hidden];
    let embedding = needed("model.embed_tokens", "token_embd", table.clone());
    let layers = (0..config.num_hidden_layers).flat_map(|layer| layer_tensors(config, layer));
    let norm = needed("model.norm", "output_norm", vec![hidden]);
    let head = (!config.tie_word_embeddings).then(|| needed("lm_head", "output", table));
    std::iter::once(embedding)
        .chain(layers)
        .chain(std::iter::once(norm))
        .chain(head)
}

/// The nine tensors of one layer.
fn layer_tensors(config: &ModelConfig, layer: usize) -> [NeededTensor; 9] {
    let (hidden, feed_forward) = (config.hidden_size, config.intermediate_size);
    // Saturating, because 32 bits do not hold the product of two absurd sizes; no tensor has that shape then.
    let queries = config.num_attention_heads.saturating_mul(config.head_dim);
    let keys = config.num_key_value_heads.saturating_mul(config.head_dim);
    [
        ("input_layernorm", "attn_norm", vec![hidden]),
        ("self_attn.q_proj", "attn_q", vec![queries, hidden]),
        ("self_attn.k_proj", "attn_k", vec![keys, hidden]),
        ("self_attn.v_proj", "attn_v", vec![keys, hidden]),
        ("self_attn.o_proj", "attn_output", vec![hidden, queries]),
        ("post_attention_layernorm", "ffn_norm", vec![hidden]),
        ("mlp.gate_proj", "ffn_gate", vec![feed_forward, hidden]),
        ("mlp.up_proj", "ffn_up", vec![feed_forward, hidden]),
        ("mlp.down_proj", "ffn_down", vec![hidden, feed_forward]),
    ]
    .map(|(name, gguf_name, shape)| {
        let rotary = matches!(gguf_name, "attn_q" | "attn_k");
        let name = format!("model.layers.{layer}.{name}");
        let gguf_name = format!("blk.{layer}.{gguf_name}");
        NeededTensor {
            rotary,
            ..needed(&name, &gguf_name, shape)
        }
    })
}

fn needed(name: &str, gguf_name: &str, shape: Vec<usize>) -> NeededTensor {
    NeededTensor {
        name: format!("{name}.weight"),
        gguf_name: format!("{gguf_name}.weight"),
        shape,
        rotary: false,
    }
}

/// Finds every tensor that the model needs among those of its files.
///
/// `name_in_file` says which name the format uses. Returns the pairs in model order.
///
/// # Errors
/// A tensor that is missing, has another shape, occurs twice, or that a Llama model has no place for: ignoring one
/// would make another model of it.
pub(crate) fn match_tensors(
    file: &str,
    config: &ModelConfig,
    stored: Vec<StoredTensor>,
    name_in_file: fn(&NeededTensor) -> &str,
) -> Result<Vec<(NeededTensor, StoredTensor)>, LoadError> {
    let mut by_name = HashMap::with_capacity(stored.len());
    for tensor in stored {
        if let Some(twice) = by_name.insert(tensor.name.clone(), tensor) {
            let name = twice.name;
            return Err(LoadError::new(file, format!("tensor {name} occurs twice")));
        }
    }
    let mut matched = Vec::with_capacity(by_name.len());
    for needed in needed_tensors(config) {
        let name = name_in_file(&needed);
        let Some(tensor) = by_name.remove(name) else {
            return Err(LoadError::new(file, format!("tensor {name} is missing")));
        };
        if tensor.shape != needed.shape {
            let (found, expected) = (&tensor.shape, &needed.shape);
            return Err(LoadError::new(
                file,
                format!("tensor {name} has shape {found:?}; the config asks for {expected:?}"),
            ));
        }
        matched.push((needed, tensor));
    }
    // The smallest name, so that the message does not depend on the order of a hash map.
    match by_name.into_keys().min() {
        None => Ok(matched),
        Some(name) => Err(LoadError::new(
            file,
            format!(
                "tensor {name} has no place in a Llama model, so the model would not be computed correctly"
            ),
        )),
    }
}
