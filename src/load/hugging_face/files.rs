//! Which of the given files are those of a model folder.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use crate::load::{
    error::LoadError,
    source::{self, Source},
};

/// The longest JSON or Jinja file that is read as a whole; tokenizers of 256,000 tokens take about 35 MB.
pub const LONGEST_TEXT: u64 = 64 << 20;
/// The file with the shape of the model.
pub const CONFIG: &str = "config.json";
/// The tokenizer.
pub const TOKENIZER: &str = "tokenizer.json";
/// Other forms in which tokenizers are kept: SentencePiece's, GPT-2's and Mistral's.
const OTHER_TOKENIZERS: [&str; 4] = ["tokenizer.model", "merges.txt", "vocab.json", "tekken.json"];
const WEIGHTS: &str = "model.safetensors";
const WEIGHTS_INDEX: &str = "model.safetensors.index.json";
const WEIGHTS_ENDING: &str = ".safetensors";

/// The files that were given, with `config.json` among them.
pub struct Folder<'a, S: Source> {
    sources: &'a [S],
    /// `config.json`.
    pub config: &'a S,
}

/// Which tensor is in which file.
#[derive(Deserialize)]
struct WeightsIndex {
    weight_map: HashMap<String, String>,
}

/// The error about a file that should have been given.
pub fn missing(name: &str) -> LoadError {
    LoadError::new(
        name,
        "it is missing; give all files of the model folder: config.json, tokenizer.json, \
         tokenizer_config.json and the .safetensors files",
    )
}

impl<'a, S: Source> Folder<'a, S> {
    /// Looks for `config.json`.
    ///
    /// # Errors
    /// If it is not there, what the files seem to be instead.
    pub fn new(sources: &'a [S]) -> Result<Self, LoadError> {
        for (i, source) in sources.iter().enumerate() {
            let (name, original) = (source.name(), original_name(source.name()));
            let mut before = sources[..i].iter().map(Source::name);
            match before.find(|other| original_name(other) == original) {
                None => {}
                Some(other) if other == name => {
                    return Err(LoadError::new(name, "two files have this name"));
                }
                Some(other) => {
                    return Err(LoadError::new(
                        name,
                        format!(
                            "it and {other} are both {original}; give only the one that belongs to the model"
                        ),
                    ));
                }
            }
        }
        let find = |name: &str| {
            let mut sources = sources.iter();
            sources.find(|source| original_name(source.name()) == name)
        };
        if let Some(config) = find(CONFIG) {
            return Ok(Self { sources, config });
        }
        let Some(first) = sources.first() else {
            return Err(LoadError::new(
                "model",
                "no file was given; give one .gguf file, or all files of a model folder",
            ));
        };
        if find("adapter_config.json").is_some() {
            return Err(LoadError::new(
                "adapter_config.json",
                "it belongs to an adapter, not to a base model; load its base model first",
            ));
        }
        if sources
            .iter()
            .any(|source| source.name().ends_with(WEIGHTS_ENDING))
            || find(TOKENIZER).is_some()
        {
            return Err(missing(CONFIG));
        }
        Err(LoadError::new(
            first.name(),
            "it is no model; give one .gguf file, or all files of a model folder",
        ))
    }

    /// The error about a tokenizer that is not there, or only in another form.
    pub fn missing_tokenizer(&self) -> LoadError {
        let other = OTHER_TOKENIZERS
            .into_iter()
            .find_map(|name| self.find(name));
        match other {
            None => missing(TOKENIZER),
            Some(file) => LoadError::new(
                file.name(),
                "a tokenizer in this form is not read; give tokenizer.json, which most models have beside it and \
                 transformers writes otherwise (AutoTokenizer.from_pretrained(folder).save_pretrained(folder)), or the \
                 model's .gguf file",
            ),
        }
    }

    /// The file called `name`.
    pub fn find(&self, name: &str) -> Option<&'a S> {
        self.position(name).map(|position| &self.sources[position])
    }

    fn position(&self, name: &str) -> Option<usize> {
        let mut sources = self.sources.iter();
        sources.position(|source| original_name(source.name()) == name)
    }

    /// The whole contents of a file that need not be there.
    ///
    /// # Errors
    /// If it is there but cannot be read.
    pub async fn read_if_there(&self, name: &str) -> Result<Option<Vec<u8>>, LoadError> {
        match self.find(name) {
            None => Ok(None),
            Some(file) => source::read_whole(file, LONGEST_TEXT).await.map(Some),
        }
    }

    /// Positions of the files with the weights among the given ones.
    ///
    /// `model.safetensors` if it is there, else the parts that the index names, else the parts whose names say of how
    /// many they are.
    ///
    /// # Errors
    /// The first part that is missing, or that there are no weights, or only in another format.
    pub async fn weights(&self) -> Result<Vec<usize>, LoadError> {
        if let Some(whole) = self.position(WEIGHTS) {
            return Ok(vec![whole]);
        }
        // In order, so that the same part is reported missing each time.
        let names = match self.find(WEIGHTS_INDEX) {
            Some(index) => {
                let bytes = source::read_whole(index, LONGEST_TEXT).await?;
                let index: WeightsIndex = serde_json::from_slice(&bytes)
                    .map_err(|error| LoadError::new(index.name(), error.to_string()))?;
                index.weight_map.into_values().collect::<BTreeSet<_>>()
            }
            None => self.parts_by_name()?,
        };
        if names.is_empty() {
            let is_pickle =
                |source: &S| source.name().ends_with(".bin") || source.name().ends_with(".pth");
            return Err(match self.sources.iter().find(|source| is_pickle(source)) {
                Some(pickle) => LoadError::new(
                    pickle.name(),
                    "weights in this format are not supported; use .safetensors",
                ),
                None => missing(WEIGHTS),
            });
        }
        let positions = names
            .iter()
            .map(|name| self.position(name).ok_or_else(|| missing(name)));
        positions.collect()
    }

    /// Names of all parts, if the files are called `model-00001-of-00003.safetensors` and so on.
    fn parts_by_name(&self) -> Result<BTreeSet<String>, LoadError> {
        let count = self.sources.iter().find_map(|source| {
            let name = original_name(source.name());
            let name = name.strip_suffix(WEIGHTS_ENDING)?;
            let (_, count) = name.strip_prefix("model-")?.split_once("-of-")?;
            count.parse::<usize>().ok()
        });
        match count {
            None => Ok(BTreeSet::new()),
            // Each part is a file, so a lying name cannot ask for many.
            Some(count) if count > self.sources.len() => Err(LoadError::new(
                WEIGHTS_INDEX,
                format!("the weights are in {count} parts, and not all of them were given"),
            )),
            Some(count) => Ok((1..=count)
                .map(|part| format!("model-{part:05}-of-{count:05}{WEIGHTS_ENDING}"))
                .collect()),
        }
    }
}

/// The name that a file had before a browser made it another, as it does where a download of this name is already there:
/// `model (1).safetensors` and `model(1).safetensors` for `model.safetensors`.
fn original_name(name: &str) -> Cow<'_, str> {
    let without_number = || {
        let (stem, ending) = name.rsplit_once('.')?;
        let (stem, number) = stem.strip_suffix(')')?.rsplit_once('(')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| format!("{}.{ending}", stem.trim_end_matches(' ')))
    };
    without_number().map_or(Cow::Borrowed(name), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::original_name;

    #[test]
    fn numbers_of_downloads_are_no_part_of_a_name() {
        let names = [
            ("config (1).json", "config.json"),
            ("config(12).json", "config.json"),
            (
                "model.safetensors.index (2).json",
                "model.safetensors.index.json",
            ),
            (
                "model-00001-of-00002 (1).safetensors",
                "model-00001-of-00002.safetensors",
            ),
            ("config.json", "config.json"),
            ("notes (draft).json", "notes (draft).json"),
            ("notes ().json", "notes ().json"),
            ("(1)", "(1)"),
        ];
        for (name, expected) in names {
            assert_eq!(original_name(name), expected);
        }
    }
}
