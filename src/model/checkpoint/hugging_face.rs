//! The model in a folder of Hugging Face transformers.

use std::collections::{BTreeMap, HashSet};

use super::{
    Opened,
    matching::{InFile, find_weights},
};
use crate::load::{
    LoadError, Source, Tokenizer, TokenizerExtras,
    hugging_face::{Folder, LONGEST_TEXT, StoredTensors, TOKENIZER, Unusable, stored_tensors},
    source::{read_exactly, read_whole},
    tensor::StoredTensor,
};
use crate::model::{
    ModelConfig,
    architecture::Fields,
    walk::{self, Role, Weight},
};

/// What is compared at a time of two tensors.
const COMPARED_BYTES: u64 = 1 << 20;

/// Reads what the files of a folder say about their model.
///
/// # Errors
/// A file that is missing, malformed, or describes a model that is not supported; the message says which.
pub(super) async fn open<S: Source>(sources: &[S]) -> Result<Opened, LoadError> {
    let folder = Folder::new(sources)?;
    let config_bytes = read_whole(folder.config, LONGEST_TEXT).await?;
    let about_config = |problem| LoadError::new(folder.config.name(), problem);
    let fields = Fields::parse(&config_bytes).map_err(about_config)?;
    let mut config = ModelConfig::from_json(&fields).map_err(about_config)?;
    let mut notices = notices(&fields).map_err(about_config)?;
    let name = name(&fields).map_err(about_config)?;

    let weights = folder.weights().await?;
    let mut stored = StoredTensors::default();
    for &file in &weights {
        let ignored = |name: &str| is_computed(name, &config);
        let found = stored_tensors(&sources[file], file, ignored).await?;
        stored.tensors.extend(found.tensors);
        stored.unusable.extend(found.unusable);
    }
    if let Some(prefix) = config.architecture.prefix {
        let head = head(&config);
        let names = stored.tensors.iter_mut().map(|tensor| &mut tensor.name);
        let others = stored.unusable.iter_mut().map(|tensor| &mut tensor.name);
        for name in names.chain(others) {
            if *name != head && !name.starts_with(prefix) {
                name.insert_str(0, prefix);
            }
        }
    }
    if config.tie_word_embeddings && separate_head(&config, sources, &mut stored.tensors).await? {
        config.tie_word_embeddings = false;
        notices.push(format!(
            "{} is not the embedding table, although config.json ties them; it is used, as in transformers 5.",
            head(&config)
        ));
    }
    notices.extend(without_place(&config, &stored.tensors, stored.unusable)?);
    let stored = stored.tensors;
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
        return Err(folder.missing_tokenizer());
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
        notices,
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
    let mut ends = config.architecture.computed.iter();
    ends.any(|end| name.ends_with(end))
}

/// Whether a head is stored that differs from the embedding table. One that is the table, as some programs write it, is taken
/// out of `stored`.
///
/// # Errors
/// Those of reading both.
async fn separate_head<S: Source>(
    config: &ModelConfig,
    sources: &[S],
    stored: &mut Vec<StoredTensor>,
) -> Result<bool, LoadError> {
    let mut embedding = walk::before_blocks(config);
    let embedding = embedding.find(|weight| weight.role == Role::Embedding);
    let place = |name: &str| stored.iter().position(|tensor| tensor.name == name);
    let (Some(head), Some(table)) = (
        place(&head(config)),
        embedding.and_then(|weight| place(&weight.name)),
    ) else {
        return Ok(false);
    };
    if !are_equal(sources, &stored[head], &stored[table]).await? {
        return Ok(true);
    }
    stored.remove(head);
    Ok(false)
}

/// Whether two tensors have the same bytes.
async fn are_equal<S: Source>(
    sources: &[S],
    one: &StoredTensor,
    other: &StoredTensor,
) -> Result<bool, LoadError> {
    if (&one.shape, one.storage) != (&other.shape, other.storage) {
        return Ok(false);
    }
    let mut at = 0;
    while at < one.bytes {
        let length = COMPARED_BYTES.min(one.bytes - at);
        let read = async |tensor: &StoredTensor| {
            read_exactly(&sources[tensor.file], tensor.offset + at, length as usize).await
        };
        if read(one).await? != read(other).await? {
            return Ok(false);
        }
        at += length;
    }
    Ok(true)
}

/// Says which tensors are not read because the model has no place for them.
///
/// # Errors
/// A tensor that the model needs.
fn without_place(
    config: &ModelConfig,
    stored: &[StoredTensor],
    unusable: Vec<Unusable>,
) -> Result<Option<String>, LoadError> {
    let usable: HashSet<&str> = stored.iter().map(|tensor| tensor.name.as_str()).collect();
    let mut unusable: BTreeMap<String, Unusable> = unusable
        .into_iter()
        .map(|tensor| (tensor.name.clone(), tensor))
        .collect();
    for Weight { name, .. } in walk::weights(config) {
        if let Some(needed) = unusable.remove(&name) {
            return Err(needed.error);
        }
        // A config may ask for millions of layers that no file has; what is missing is told elsewhere.
        if !usable.contains(name.as_str()) {
            break;
        }
    }
    let names: Vec<String> = unusable
        .into_values()
        .map(|Unusable { name, dtype, .. }| format!("{name} ({dtype:?})"))
        .collect();
    Ok((!names.is_empty()).then(|| {
        format!(
            "A {} model has no place for {}; they are ignored.",
            config.architecture.title,
            names.join(", ")
        )
    }))
}
