//! Model folders as Hugging Face transformers writes them.

mod config;
mod files;
mod safetensors;

use super::{
    checkpoint::Opened,
    error::LoadError,
    layout,
    source::{self, Source},
    tokenizer::{Tokenizer, TokenizerExtras},
};
use crate::model::{Architecture, ModelConfig};
use files::{Folder, TOKENIZER};

/// The longest JSON or Jinja file that is read as a whole; tokenizers of 256,000 tokens take about 35 MB.
const LONGEST_TEXT: u64 = 64 << 20;

/// What a GPT-2 of the class without a head, such as OpenAI's own, lacks at the beginning of its tensors' names.
const GPT2_PREFIX: &str = "transformer.";

/// The output head; it has no prefix.
const HEAD: &str = "lm_head.weight";

/// Reads what the files of a folder say about their model.
///
/// # Errors
/// A file that is missing, malformed, or describes a model that is not supported; the message says which.
pub(crate) async fn open<S: Source>(sources: &[S]) -> Result<Opened, LoadError> {
    let folder = Folder::new(sources)?;
    let config_bytes = source::read_whole(folder.config, LONGEST_TEXT).await?;
    let parsed = config::read(&config_bytes)
        .map_err(|problem| LoadError::new(folder.config.name(), problem))?;

    let weights = folder.weights().await?;
    let mut stored = Vec::new();
    for &file in &weights {
        let ignored = |name: &str| is_ignored(name, &parsed.config);
        stored.extend(safetensors::stored_tensors(&sources[file], file, ignored).await?);
    }
    if let Architecture::Gpt2(_) = parsed.config.architecture {
        for tensor in &mut stored {
            if tensor.name != HEAD && !tensor.name.starts_with(GPT2_PREFIX) {
                tensor.name.insert_str(0, GPT2_PREFIX);
            }
        }
    }
    let weights_name = match weights.as_slice() {
        &[only] => sources[only].name(),
        _ => "model.safetensors",
    };
    let tensors =
        layout::match_tensors(weights_name, &parsed.config, stored, |needed| &needed.name)?;

    let Some(tokenizer_file) = folder.find(TOKENIZER) else {
        return Err(files::missing(TOKENIZER));
    };
    let tokenizer = source::read_whole(tokenizer_file, LONGEST_TEXT).await?;
    let tokenizer_config = folder.read_if_there("tokenizer_config.json").await?;
    let generation_config = folder.read_if_there("generation_config.json").await?;
    let chat_template = folder.read_if_there("chat_template.jinja").await?;
    let extras = TokenizerExtras {
        tokenizer_config: tokenizer_config.as_deref(),
        generation_config: generation_config.as_deref(),
        chat_template: chat_template.as_deref(),
        model_config: Some(&config_bytes),
    };
    Ok(Opened {
        name: parsed.name.unwrap_or_else(|| "unnamed model".to_owned()),
        config: parsed.config,
        tokenizer: Tokenizer::from_json(&tokenizer, &extras)?,
        tensors,
        rows_are_permuted: false,
    })
}

/// Whether a tensor is one that checkpoints store but models compute.
fn is_ignored(name: &str, config: &ModelConfig) -> bool {
    // A tied head is stored by some programs although it is the embedding table.
    if config.tie_word_embeddings && name == HEAD {
        return true;
    }
    match config.architecture {
        Architecture::Llama(_) => name.ends_with(".rotary_emb.inv_freq"),
        // The causal mask, and what it is filled with.
        Architecture::Gpt2(_) => {
            name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias")
        }
    }
}
