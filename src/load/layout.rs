//! Which tensors a model has.

use std::collections::HashMap;

use super::{error::LoadError, tensor::StoredTensor};
use crate::model::{Architecture, LlamaConfig, ModelConfig};

/// How the file's values are brought into the order in which the model holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// They are in it.
    Kept,
    /// Rotary positions turn the rows, which GGUF files keep in another order.
    Rotary,
    /// A `Conv1D` of transformers, which stores [in, out].
    Transposed,
}

/// A tensor that a model needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededTensor {
    /// Hugging Face's name.
    pub name: String,
    /// Name in a GGUF file; Hugging Face's for GPT-2, which is not read from such files.
    pub gguf_name: String,
    /// Shape as the model holds it: [out, in] of a linear layer.
    pub shape: Vec<usize>,
    /// How the file's values get there.
    pub order: Order,
}

impl NeededTensor {
    /// Shape in the file.
    pub fn stored_shape(&self) -> Vec<usize> {
        let mut shape = self.shape.clone();
        if self.order == Order::Transposed {
            shape.reverse();
        }
        shape
    }
}

/// The tensors of a model in the order in which a forward pass meets them.
///
/// An iterator, because a lying file may ask for millions of layers: whoever walks through it stops at the first
/// tensor that the file lacks.
pub fn needed_tensors(config: &ModelConfig) -> Box<dyn Iterator<Item = NeededTensor> + '_> {
    match &config.architecture {
        Architecture::Llama(llama) => Box::new(llama_tensors(config, llama)),
        Architecture::Gpt2(_) => Box::new(gpt2_tensors(config)),
    }
}

fn llama_tensors<'a>(
    config: &'a ModelConfig,
    llama: &'a LlamaConfig,
) -> impl Iterator<Item = NeededTensor> + 'a {
    let hidden = config.hidden_size;
    let table = vec![config.vocab_size, hidden];
    let embedding = needed("model.embed_tokens", "token_embd", table.clone());
    let layers = (0..config.num_hidden_layers).flat_map(|layer| llama_block(config, llama, layer));
    let norm = needed("model.norm", "output_norm", vec![hidden]);
    let head = (!config.tie_word_embeddings).then(|| needed("lm_head", "output", table));
    std::iter::once(embedding)
        .chain(layers)
        .chain(std::iter::once(norm))
        .chain(head)
}

/// The nine tensors of one block.
fn llama_block(config: &ModelConfig, llama: &LlamaConfig, layer: usize) -> [NeededTensor; 9] {
    let (hidden, feed_forward) = (config.hidden_size, config.intermediate_size);
    let queries = llama.num_attention_heads * llama.head_dim;
    let keys = llama.num_key_value_heads * llama.head_dim;
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
        let order = match gguf_name {
            "attn_q" | "attn_k" => Order::Rotary,
            _ => Order::Kept,
        };
        let name = format!("model.layers.{layer}.{name}");
        let gguf_name = format!("blk.{layer}.{gguf_name}");
        NeededTensor {
            order,
            ..needed(&name, &gguf_name, shape)
        }
    })
}

fn gpt2_tensors(config: &ModelConfig) -> impl Iterator<Item = NeededTensor> + '_ {
    let hidden = config.hidden_size;
    let kept = |name: &str, shape| needed(name, name, shape);
    let table = vec![config.vocab_size, hidden];
    let embedding = kept("transformer.wte", table.clone());
    let positions = vec![config.max_position_embeddings, hidden];
    let positions = kept("transformer.wpe", positions);
    let layers = (0..config.num_hidden_layers).flat_map(|layer| gpt2_block(config, layer));
    let norm = with_bias(kept("transformer.ln_f", vec![hidden]));
    let head = (!config.tie_word_embeddings).then(|| kept("lm_head", table));
    [embedding, positions]
        .into_iter()
        .chain(layers)
        .chain(norm)
        .chain(head)
}

/// The twelve tensors of one block.
fn gpt2_block(config: &ModelConfig, layer: usize) -> impl Iterator<Item = NeededTensor> + use<> {
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    [
        ("ln_1", vec![hidden]),
        ("attn.c_attn", vec![3 * hidden, hidden]),
        ("attn.c_proj", vec![hidden, hidden]),
        ("ln_2", vec![hidden]),
        ("mlp.c_fc", vec![inner, hidden]),
        ("mlp.c_proj", vec![hidden, inner]),
    ]
    .into_iter()
    .flat_map(move |(module, shape)| {
        let order = match shape.len() {
            2 => Order::Transposed,
            _ => Order::Kept,
        };
        let name = format!("transformer.h.{layer}.{module}");
        with_bias(NeededTensor {
            order,
            ..needed(&name, &name, shape)
        })
    })
}

/// A weight, and the bias that belongs to it: one value a row.
fn with_bias(weight: NeededTensor) -> [NeededTensor; 2] {
    let module = weight.name.trim_end_matches("weight");
    let name = format!("{module}bias");
    let bias = NeededTensor {
        gguf_name: name.clone(),
        name,
        shape: vec![weight.shape[0]],
        order: Order::Kept,
    };
    [weight, bias]
}

fn needed(name: &str, gguf_name: &str, shape: Vec<usize>) -> NeededTensor {
    NeededTensor {
        name: format!("{name}.weight"),
        gguf_name: format!("{gguf_name}.weight"),
        shape,
        order: Order::Kept,
    }
}

/// Finds every tensor that the model needs among those of its files.
///
/// `name_in_file` says which name the format uses. Returns the pairs in model order.
///
/// # Errors
/// A tensor that is missing, has another shape, occurs twice, or that the model has no place for: ignoring one
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
        let expected = needed.stored_shape();
        if tensor.shape != expected {
            let found = &tensor.shape;
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
                "tensor {name} has no place in a {} model, so the model would not be computed correctly",
                config.architecture.title()
            ),
        )),
    }
}
