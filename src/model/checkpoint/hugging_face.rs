//! The model in a folder of Hugging Face transformers.

use super::{
    CHUNK_BYTES, Opened,
    matching::{InFile, find_weights},
};
use crate::load::{
    LoadError, Source, Tokenizer, TokenizerExtras,
    hugging_face::{Folder, LONGEST_TEXT, TOKENIZER, stored_tensors},
    source::{read_exactly, read_whole},
    tensor::{StoredTensor, StoredTensors},
};
use crate::model::{
    ModelConfig,
    architecture::{Fields, MALFORMED},
};

/// Reads what the files of a folder say about their model.
///
/// # Errors
/// A file that is missing, malformed, or describes a model that is not supported; the message says which.
pub(super) async fn open<S: Source>(sources: &[S]) -> Result<Opened, LoadError> {
    let folder = Folder::new(sources)?;
    let config_bytes = read_whole(folder.config, LONGEST_TEXT).await?;
    let about_config = |problem: String| {
        let way_out = match problem.starts_with(MALFORMED) {
            true => "; download it again from where the model is",
            false => "",
        };
        LoadError::new(folder.config.name(), format!("{problem}{way_out}"))
    };
    let fields = Fields::parse(&config_bytes).map_err(about_config)?;
    let mut config = ModelConfig::from_json(&fields).map_err(about_config)?;
    let mut notices = notices(&fields).map_err(about_config)?;
    let name = name(&fields).map_err(about_config)?;

    let weights = folder.weights().await?;
    let mut stored = StoredTensors::default();
    for &file in &weights {
        stored.append(stored_tensors(&sources[file], file).await?);
    }
    if let Some(prefix) = config.architecture.prefix {
        let head = head(&config);
        for name in stored.names_mut() {
            if *name != head && !name.starts_with(prefix) {
                name.insert_str(0, prefix);
            }
        }
    }
    if config.tie_word_embeddings {
        notices.extend(untie(sources, &mut stored, &mut config).await?);
    }
    let weights_name = match weights.as_slice() {
        &[only] => sources[only].name(),
        _ => "model.safetensors",
    };
    let matched = find_weights(weights_name, &config, stored, |weight| InFile {
        name: &weight.name,
        arrangement: weight.hugging_face,
        added: weight.hugging_face_lacks,
    })?;
    notices.extend(matched.notice);

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
        tensors: matched.found,
    })
}

/// The name under which the model was loaded before it was saved, if the file has one.
fn name(fields: &Fields) -> Result<Option<String>, String> {
    // A path on the machine that saved the model says nothing to the user; its last part may.
    let path = fields.text("_name_or_path")?;
    let name = path.map(|path| path.rsplit('/').next().unwrap_or(path));
    Ok(name.filter(|name| !name.is_empty()).map(str::to_owned))
}

/// What `config.json` says of positions twice and differently, and which of it counts.
fn notices(fields: &Fields) -> Result<Vec<String>, String> {
    let Some(newer) = fields.object("rope_parameters")? else {
        return Ok(Vec::new());
    };
    let scaling = fields.object("rope_scaling")?;
    if let Some(scaling) = scaling.filter(|scaling| !scaling.has_only(&[])) {
        return Ok(match scaling == newer {
            true => Vec::new(),
            false => vec![format!(
                "config.json: rope_scaling is {scaling}, and rope_parameters {newer}; rope_scaling counts, as in transformers 5."
            )],
        });
    }
    let mut notices = Vec::new();
    // Gemma 3 has a base for either kind of layers.
    let kinds = [
        ("rope_theta", "full_attention"),
        ("rope_local_base_freq", "sliding_attention"),
    ];
    for (name, kind) in kinds {
        let theta = match newer.object(kind)? {
            Some(of_kind) => of_kind.number("rope_theta")?,
            None => newer.number("rope_theta")?,
        };
        match (fields.number(name)?, theta) {
            (Some(older), Some(theta)) if older != theta => notices.push(format!(
                "config.json: {name} is {older}, and {theta} in rope_parameters, which counts, as in transformers 5."
            )),
            _ => {}
        }
    }
    Ok(notices)
}

/// The output head; it has no prefix.
fn head(config: &ModelConfig) -> String {
    format!("{}.weight", config.architecture.head.hugging_face)
}

/// Takes the head of a config that ties it out of `stored` where it is the embedding table once more, as some programs
/// write it. Where it is not, it counts, as in transformers 5, and the result says so.
///
/// # Errors
/// A file that cannot be read.
async fn untie<S: Source>(
    sources: &[S],
    stored: &mut StoredTensors,
    config: &mut ModelConfig,
) -> Result<Option<String>, LoadError> {
    let head = head(config);
    let embedding = format!("{}.weight", config.architecture.embedding.hugging_face);
    let position = |name: &str| stored.readable.iter().position(|it| it.name == name);
    let (Some(at), Some(table)) = (position(&head), position(&embedding)) else {
        return Ok(None);
    };
    if is_same(sources, &stored.readable[at], &stored.readable[table]).await? {
        stored.readable.remove(at);
        return Ok(None);
    }
    config.tie_word_embeddings = false;
    Ok(Some(format!(
        "{head} is not the embedding table, although config.json ties them; it is used, as in transformers 5."
    )))
}

/// Whether two tensors hold the same values.
async fn is_same<S: Source>(
    sources: &[S],
    one: &StoredTensor,
    other: &StoredTensor,
) -> Result<bool, LoadError> {
    if (one.shape.as_slice(), one.storage) != (other.shape.as_slice(), other.storage) {
        return Ok(false);
    }
    for start in (0..one.bytes).step_by(CHUNK_BYTES as usize) {
        let length = CHUNK_BYTES.min(one.bytes - start) as usize;
        let one = read_exactly(&sources[one.file], one.offset + start, length).await?;
        let other = read_exactly(&sources[other.file], other.offset + start, length).await?;
        if one != other {
            return Ok(false);
        }
    }
    Ok(true)
}
