//! Tokenizers as Hugging Face folders hold them.

use std::collections::HashMap;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::{SpecialTokens, Tokenizer, byte_pair};
use crate::load::error::LoadError;

const FILE: &str = "tokenizer.json";

/// The files beside `tokenizer.json` that say something about its tokens; each may be missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenizerExtras<'a> {
    /// Contents of `tokenizer_config.json`: names of special tokens, and often the chat template.
    pub tokenizer_config: Option<&'a [u8]>,
    /// Contents of `generation_config.json`: further tokens that end an answer.
    pub generation_config: Option<&'a [u8]>,
    /// Contents of `chat_template.jinja`, which newer folders have instead of a template in `tokenizer_config.json`.
    pub chat_template: Option<&'a [u8]>,
    /// Contents of `config.json`: ids of special tokens.
    pub model_config: Option<&'a [u8]>,
}

/// What must be looked at before the `tokenizers` crate reads `tokenizer.json`.
#[derive(Deserialize)]
struct Outline {
    model: ModelOutline,
}

#[derive(Deserialize)]
struct ModelOutline {
    #[serde(rename = "type")]
    kind: Option<String>,
    continuing_subword_prefix: Option<String>,
    #[serde(default)]
    vocab: HashMap<String, IgnoredAny>,
    #[serde(default)]
    merges: Vec<Merge>,
}

/// Newer files write merges as pairs, older ones as a string with a space between the halves.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    Joined(String),
}

impl Tokenizer {
    /// Reads `tokenizer.json` from its contents.
    ///
    /// # Errors
    /// Malformed contents of any of the files, or a model that is no byte-pair encoding.
    pub fn from_json(tokenizer: &[u8], extras: &TokenizerExtras<'_>) -> Result<Self, LoadError> {
        check_outline(tokenizer).map_err(|problem| LoadError::new(FILE, problem))?;
        let inner = tokenizers::Tokenizer::from_bytes(tokenizer)
            .map_err(|error| LoadError::new(FILE, format!("it is malformed: {error}")))?;
        let special = special_tokens(&inner, extras)?;
        Self::new(FILE, inner, special)
    }
}

fn check_outline(tokenizer: &[u8]) -> Result<(), String> {
    let outline: Outline =
        serde_json::from_slice(tokenizer).map_err(|error| format!("it is malformed: {error}"))?;
    let model = outline.model;
    if let Some(kind) = model.kind.filter(|kind| kind != "BPE") {
        return Err(format!(
            "its model is {kind}, which is not supported; use a byte-pair encoding (BPE)"
        ));
    }
    if model
        .continuing_subword_prefix
        .is_some_and(|prefix| !prefix.is_empty())
    {
        return Err("continuing_subword_prefix is not supported".to_owned());
    }
    let longest = model.vocab.keys().map(String::len).max().unwrap_or(0);
    let merges = model.merges.iter().filter_map(|merge| match merge {
        Merge::Pair(left, right) => Some((left.as_str(), right.as_str())),
        // The crate reports those without a space.
        Merge::Joined(joined) => joined.split_once(' '),
    });
    byte_pair::check_merges(longest, merges)
}

/// Special tokens by name from `tokenizer_config.json`, else by id from the other files.
fn special_tokens(
    inner: &tokenizers::Tokenizer,
    extras: &TokenizerExtras<'_>,
) -> Result<SpecialTokens, LoadError> {
    let tokenizer_config = object("tokenizer_config.json", extras.tokenizer_config)?;
    let generation_config = object("generation_config.json", extras.generation_config)?;
    let model_config = object("config.json", extras.model_config)?;
    let named = |key: &str| inner.token_to_id(token_text(&tokenizer_config[key])?);
    let numbered = |key: &str| {
        let values = [&generation_config[key], &model_config[key]];
        values
            .into_iter()
            .flat_map(ids)
            .filter(|&id| inner.id_to_token(id).is_some())
            .collect::<Vec<_>>()
    };
    let bos = named("bos_token").or_else(|| numbered("bos_token_id").first().copied());
    let mut eos = Vec::new();
    for id in named("eos_token")
        .into_iter()
        .chain(numbered("eos_token_id"))
    {
        if !eos.contains(&id) {
            eos.push(id);
        }
    }
    let added = inner
        .encode_fast("", true)
        .map_err(|error| LoadError::new(FILE, error.to_string()))?;
    let chat_template = match extras.chat_template {
        Some(bytes) => Some(
            std::str::from_utf8(bytes)
                .map_err(|_| LoadError::new("chat_template.jinja", "it is not UTF-8"))?
                .to_owned(),
        ),
        None => template_text(&tokenizer_config["chat_template"]).map(str::to_owned),
    };
    Ok(SpecialTokens {
        bos,
        starts_with_bos: tokenizer_config["add_bos_token"] == true
            || bos.is_some() && added.get_ids().first() == bos.as_ref(),
        eos,
        pad: named("pad_token").or_else(|| numbered("pad_token_id").first().copied()),
        chat_template,
    })
}

/// The contents of a JSON file; null if there is none.
fn object(name: &str, bytes: Option<&[u8]>) -> Result<Value, LoadError> {
    match bytes {
        None => Ok(Value::Null),
        Some(bytes) => serde_json::from_slice(bytes)
            .map_err(|error| LoadError::new(name, format!("it is malformed: {error}"))),
    }
}

/// A token is written as its text, or as an object with its text and its properties.
fn token_text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value["content"].as_str())
}

/// One id or a list of ids; anything else, such as the −1 that some files have for "none", counts as no id.
fn ids(value: &Value) -> Vec<u32> {
    let id = |value: &Value| u32::try_from(value.as_u64()?).ok();
    match value {
        Value::Array(values) => values.iter().filter_map(id).collect(),
        value => id(value).into_iter().collect(),
    }
}

/// A template is a string, or one in a list of templates with names; the one for plain chats is called "default".
fn template_text(value: &Value) -> Option<&str> {
    match value {
        Value::Array(templates) => templates
            .iter()
            .find(|template| template["name"] == "default")?["template"]
            .as_str(),
        value => value.as_str(),
    }
}
