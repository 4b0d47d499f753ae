//! The model in a folder of Hugging Face transformers.

use super::{
    Opened,
    matching::{InFile, find_weights},
};
use crate::load::{
    LoadError, Source, Tokenizer, TokenizerExtras,
    hugging_face::{Folder, LONGEST_TEXT, TOKENIZER, missing, stored_tensors},
    source::read_whole,
};
use crate::model::{ModelConfig, architecture::Fields};

/// Reads what the files of a folder say about their model.
///
/// # Errors
/// A file that is missing, malformed, or describes a model that is not supported; the message says which.
pub(super) async fn open<S: Source>(sources: &[S]) -> Result<Opened, LoadError> {
    let folder = Folder::new(sources)?;
    let config_bytes = read_whole(folder.config, LONGEST_TEXT).await?;
    let about_config = |problem| LoadError::new(folder.config.name(), problem);
    let fields = Fields::parse(&config_bytes).map_err(about_config)?;
    let config = ModelConfig::from_json(&fields).map_err(about_config)?;
    let name = name(&fields).map_err(about_config)?;

    let weights = folder.weights().await?;
    let mut stored = Vec::new();
    for &file in &weights {
        let ignored = |name: &str| is_computed(name, &config);
        stored.extend(stored_tensors(&sources[file], file, ignored).await?);
    }
    if let Some(prefix) = config.architecture.prefix {
        let head = head(&config);
        for tensor in &mut stored {
            if tensor.name != head && !tensor.name.starts_with(prefix) {
                tensor.name.insert_str(0, prefix);
            }
        }
    }
    let weights_name = match weights.as_slice() {
        &[only] => sources[only].name(),
        _ => "model.safetensors",
    };
    let tensors = find_weights(weights_name, &config, stored, |weight| InFile {
        name: &weight.name,
        arrangement: weight.hugging_face,
        added: weight.hugging_face_lacks,
    })?;

    let Some(tokenizer_file) = folder.find(TOKENIZER) else {
        return Err(missing(TOKENIZER));
    };
    let tokenizer = read_whole(tokenizer_file, LONGEST_TEXT).await?;
    let tokenizer_config = folder.read_if_there("tokenizer_config.json").await?;
    let generation_config = folder.read_if_there("generation_config.json").await?;
    let special_tokens_map = folder.read_if_there("special_tokens_map.json").await?;
    let chat_template = folder.read_if_there("chat_template.jinja").await?;
    let extras = TokenizerExtras {
        tokenizer_config: tokenizer_config.as_deref(),
        generation_config: generation_config.as_deref(),
        special_tokens_map: special_tokens_map.as_deref(),
        chat_template: chat_template.as_deref(),
        model_config: Some(&config_bytes),
    };
    Ok(Opened {
        name: name.unwrap_or_else(|| "unnamed model".to_owned()),
        config,
        tokenizer: Tokenizer::from_json(&tokenizer, &extras)?,
        notices: notices(&fields).map_err(about_config)?,
        tensors,
    })
}

/// The name under which the model was loaded before it was saved, if the file has one.
fn name(fields: &Fields) -> Result<Option<String>, String> {
    // A path on the machine that saved the model says nothing to the user; its last part may.
    let path = fields.text("_name_or_path")?;
    let name = path.map(|path| path.rsplit('/').next().unwrap_or(path));
    Ok(name.filter(|name| !name.is_empty()).map(str::to_owned))
}

/// What `config.json` says twice and differently.
fn notices(fields: &Fields) -> Result<Vec<String>, String> {
    let (Some(older), Some(parameters)) = (
        fields.number("rope_theta")?,
        fields.object("rope_parameters")?,
    ) else {
        return Ok(Vec::new());
    };
    Ok(match parameters.number("rope_theta")? {
        Some(newer) if newer != older => vec![format!(
            "config.json: rope_theta is {older}, and {newer} in rope_parameters, which counts, as in transformers 5."
        )],
        _ => Vec::new(),
    })
}

/// The output head; it has no prefix.
fn head(config: &ModelConfig) -> String {
    format!("{}.weight", config.architecture.head.hugging_face)
}

/// Whether a tensor is one that checkpoints store but models compute.
fn is_computed(name: &str, config: &ModelConfig) -> bool {
    // A tied head is stored by some programs although it is the embedding table.
    if config.tie_word_embeddings && name == head(config) {
        return true;
    }
    let mut ends = config.architecture.computed.iter();
    ends.any(|end| name.ends_with(end))
}
