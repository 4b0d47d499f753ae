//! Tokenizers as Hugging Face folders hold them.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, value::RawValue};
use tokenizers::{AddedToken, ModelWrapper};

use super::{SpecialTokens, Tokenizer, byte_pair, pieces::Pieces};
use crate::load::error::LoadError;

const FILE: &str = "tokenizer.json";
const CONFIG: &str = "tokenizer_config.json";

/// The files beside `tokenizer.json` that say something about its tokens; each may be missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenizerExtras<'a> {
    /// Contents of `tokenizer_config.json`: names of special tokens, and often the chat template.
    pub tokenizer_config: Option<&'a [u8]>,
    /// Contents of `generation_config.json`: further tokens that end an answer.
    pub generation_config: Option<&'a [u8]>,
    /// Contents of `chat_template.jinja`, which newer folders have instead of a template in `tokenizer_config.json`.
    pub chat_template: Option<&'a [u8]>,
    /// Contents of `special_tokens_map.json`: names of special tokens in older folders.
    pub special_tokens_map: Option<&'a [u8]>,
    /// Contents of `config.json`: ids of special tokens.
    pub model_config: Option<&'a [u8]>,
}

/// What must be looked at before the `tokenizers` crate reads `tokenizer.json`.
#[derive(Deserialize)]
struct Outline<Model> {
    model: Model,
    #[serde(default)]
    added_tokens: Vec<Added>,
    padding: Option<IgnoredAny>,
    truncation: Option<IgnoredAny>,
    #[serde(flatten)]
    pieces: Pieces,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
}

#[derive(Deserialize)]
struct KindOutline {
    #[serde(rename = "type")]
    name: Option<String>,
}

#[derive(Deserialize)]
struct ModelOutline {
    #[serde(rename = "type")]
    kind: Option<String>,
    continuing_subword_prefix: Option<String>,
    #[serde(default)]
    vocab: HashMap<String, u32>,
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
        let sets_lengths =
            check_outline(tokenizer).map_err(|problem| LoadError::new(FILE, problem))?;
        let malformed =
            |problem: String| LoadError::new(FILE, format!("it is malformed: {problem}"));
        let tokenizer = match sets_lengths {
            true => without_lengths(tokenizer)
                .map_err(|error| malformed(error.to_string()))?
                .into(),
            false => Cow::from(tokenizer),
        };
        let mut inner = tokenizers::Tokenizer::from_bytes(tokenizer)
            .map_err(|error| malformed(error.to_string()))?;
        let dropout = without_dropout(&mut inner);
        let tokenizer_config = object(CONFIG, extras.tokenizer_config)?;
        let mut notices = add_tokens(&mut inner, &tokenizer_config["added_tokens_decoder"])
            .map_err(|problem| LoadError::new(CONFIG, problem))?;
        notices.extend(dropout);
        let special = special_tokens(&inner, &tokenizer_config, extras)?;
        let mut tokenizer = Self::new(FILE, inner, special)?;
        tokenizer.notices.extend(notices);
        Ok(tokenizer)
    }
}

/// The file without padding and truncation, which change what comes out, and whose numbers may be larger than a browser's.
fn without_lengths(tokenizer: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let mut parts: BTreeMap<String, &RawValue> = serde_json::from_slice(tokenizer)?;
    parts.remove("padding");
    parts.remove("truncation");
    serde_json::to_vec(&parts)
}

/// Switches the dropout of merges off, with which a text has other tokens each time; the result says so.
fn without_dropout(inner: &mut tokenizers::Tokenizer) -> Option<String> {
    let ModelWrapper::BPE(model) = inner.get_model() else {
        return None;
    };
    let dropout = model.dropout?;
    let mut model = model.clone();
    model.dropout = None;
    inner.with_model(ModelWrapper::BPE(model));
    Some(format!(
        "{FILE} leaves out merges at random (dropout {dropout}); here a text always has the same tokens"
    ))
}

/// Adds the tokens that stand only in `added_tokens_decoder` of `tokenizer_config.json`. Where both files have a token,
/// `tokenizer.json` counts, as in transformers; the result says so to the user.
///
/// # Errors
/// A token without a text, or an id that the token cannot have because ids before it have no token.
fn add_tokens(inner: &mut tokenizers::Tokenizer, added: &Value) -> Result<Vec<String>, String> {
    let mut wanted = Vec::new();
    for (id, properties) in added.as_object().into_iter().flatten() {
        let number: Option<u32> = id.parse().ok();
        let content = properties["content"].as_str();
        match (number, content.filter(|content| !content.is_empty())) {
            (Some(number), Some(content)) => wanted.push((number, content, properties)),
            _ => {
                return Err(format!(
                    "added_tokens_decoder has no token with the id {id}"
                ));
            }
        }
    }
    wanted.sort_by_key(|(id, ..)| *id);
    let mut moved = Vec::new();
    for (id, content, properties) in wanted {
        if let Some(own) = inner.token_to_id(content) {
            if own != id {
                moved.push(format!("{content} ({own}, not {id})"));
            }
            continue;
        }
        let is = |property: &str| properties[property] == true;
        let token = AddedToken::from(content, is("special"))
            .lstrip(is("lstrip"))
            .rstrip(is("rstrip"))
            .single_word(is("single_word"))
            .normalized(is("normalized"));
        inner
            .add_tokens([token])
            .map_err(|error| error.to_string())?;
        if inner.token_to_id(content) != Some(id) {
            return Err(format!(
                "added_tokens_decoder gives {content} the id {id}, which does not follow the ids of {FILE}; use the {FILE} that belongs to it"
            ));
        }
    }
    Ok(match moved.as_slice() {
        [] => Vec::new(),
        tokens => vec![format!(
            "{CONFIG} gives other ids than {FILE} to {}; those of {FILE} are used",
            tokens.join(", ")
        )],
    })
}

fn refuse_kind(kind: Option<&str>) -> Result<(), String> {
    match kind.filter(|kind| *kind != "BPE") {
        None => Ok(()),
        Some(kind) => Err(format!(
            "its model is {kind}, which is not supported; use a byte-pair encoding (BPE)"
        )),
    }
}

/// Refuses what the crate would read otherwise than it is meant; true where the file sets padding or truncation.
fn check_outline(tokenizer: &[u8]) -> Result<bool, String> {
    let outline = serde_json::from_slice::<Outline<ModelOutline>>(tokenizer).map_err(|error| {
        // Models of other kinds have vocabularies of other forms.
        let kind = serde_json::from_slice::<Outline<KindOutline>>(tokenizer);
        kind.ok()
            .and_then(|outline| refuse_kind(outline.model.name.as_deref()).err())
            .unwrap_or_else(|| format!("it is malformed: {error}"))
    })?;
    outline.pieces.check()?;
    let sets_lengths = outline.padding.is_some() || outline.truncation.is_some();
    let model = outline.model;
    refuse_kind(model.kind.as_deref())?;
    if model
        .continuing_subword_prefix
        .is_some_and(|prefix| !prefix.is_empty())
    {
        return Err(
            "continuing_subword_prefix is not supported; use a model without it".to_owned(),
        );
    }
    let longest = model.vocab.keys().map(String::len).max().unwrap_or(0);
    let merges = model.merges.iter().filter_map(|merge| match merge {
        Merge::Pair(left, right) => Some((left.as_str(), right.as_str())),
        // The crate reports those without a space.
        Merge::Joined(joined) => joined.split_once(' '),
    });
    byte_pair::check_merges(longest, merges)?;
    check_ids(&model.vocab, &outline.added_tokens)?;
    Ok(sets_lengths)
}

/// Refuses ids that two tokens share, and ids that no model has a row for.
fn check_ids(vocabulary: &HashMap<String, u32>, added: &[Added]) -> Result<(), String> {
    let mut texts = HashMap::with_capacity(vocabulary.len());
    let of_model = vocabulary.iter().map(|(text, id)| (*id, text.as_str()));
    let added = added.iter().map(|token| (token.id, token.content.as_str()));
    for (id, text) in of_model.chain(added) {
        if i32::try_from(id).is_err() {
            return Err(format!(
                "its token {text} has the id {id}, which no model has"
            ));
        }
        let other = *texts.entry(id).or_insert(text);
        if other != text {
            let [one, other] = if other < text {
                [other, text]
            } else {
                [text, other]
            };
            return Err(format!(
                "its tokens {one} and {other} have the same id {id}; use the {FILE} that belongs to the model"
            ));
        }
    }
    Ok(())
}

/// Special tokens by name from `tokenizer_config.json` or `special_tokens_map.json`, else by id from the other files. A
/// name that is null says that there is no such token, whatever the ids say.
fn special_tokens(
    inner: &tokenizers::Tokenizer,
    tokenizer_config: &Value,
    extras: &TokenizerExtras<'_>,
) -> Result<SpecialTokens, LoadError> {
    let special_tokens_map = object("special_tokens_map.json", extras.special_tokens_map)?;
    let generation_config = object("generation_config.json", extras.generation_config)?;
    let model_config = object("config.json", extras.model_config)?;
    let named = |key: &str| {
        let mut names = [tokenizer_config, &special_tokens_map].into_iter();
        inner.token_to_id(names.find_map(|names| token_text(&names[key]))?)
    };
    let numbered = |key: &str| {
        let values = [&generation_config[key], &model_config[key]];
        values
            .into_iter()
            .flat_map(ids)
            .filter(|&id| inner.id_to_token(id).is_some())
            .collect::<Vec<_>>()
    };
    let one = |name: &str, id: &str| match named(name) {
        None if !tokenizer_config.get(name).is_some_and(Value::is_null) => {
            numbered(id).first().copied()
        }
        found => found,
    };
    let bos = one("bos_token", "bos_token_id");
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
        // Python reads every line end as one character.
        Some(bytes) => Some(
            std::str::from_utf8(bytes)
                .map_err(|_| LoadError::new("chat_template.jinja", "it is not UTF-8"))?
                .replace("\r\n", "\n")
                .replace('\r', "\n"),
        ),
        None => template_text(&tokenizer_config["chat_template"]).map(str::to_owned),
    };
    Ok(SpecialTokens {
        bos,
        starts_with_bos: tokenizer_config["add_bos_token"] == true
            || bos.is_some() && added.get_ids().first() == bos.as_ref(),
        eos,
        pad: one("pad_token", "pad_token_id"),
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
