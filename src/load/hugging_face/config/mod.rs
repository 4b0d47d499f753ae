//! `config.json`.

mod gpt2;
mod llama;

use serde::Deserialize;

use crate::model::ModelConfig;

/// What `config.json` says.
#[derive(Debug)]
pub struct ParsedConfig {
    /// Shape of the model.
    pub config: ModelConfig,
    /// The name under which the model was loaded before it was saved, if the file has one.
    pub name: Option<String>,
}

/// The only fields that are read before the architecture is known: another one may use the same names for other things.
#[derive(Debug, Deserialize)]
struct Kind {
    model_type: Option<String>,
    #[serde(rename = "_name_or_path")]
    name_or_path: Option<String>,
}

/// Reads `config.json`.
///
/// # Errors
/// The problem in words: malformed JSON, another architecture, an extension that is not computed here, or sizes that
/// are missing or do not fit together.
pub fn read(bytes: &[u8]) -> Result<ParsedConfig, String> {
    let kind: Kind = serde_json::from_slice(bytes).map_err(malformed)?;
    let config = match kind.model_type.as_deref() {
        Some("llama") => llama::read(bytes)?,
        Some("gpt2") => gpt2::read(bytes)?,
        Some(other) => {
            return Err(format!(
                "its architecture is {other}, which is not supported; use a model of the llama or gpt2 architecture"
            ));
        }
        None => return Err("it does not name its architecture (model_type)".to_owned()),
    };
    // A path on the machine that saved the model says nothing to the user; its last part may.
    let name = kind
        .name_or_path
        .as_deref()
        .map(|path| path.rsplit('/').next().unwrap_or(path));
    Ok(ParsedConfig {
        config,
        name: name.filter(|name| !name.is_empty()).map(str::to_owned),
    })
}

fn malformed(error: serde_json::Error) -> String {
    format!("it is malformed: {error}")
}

fn required(value: Option<usize>, name: &str) -> Result<usize, String> {
    value.ok_or_else(|| format!("{name} is missing"))
}

/// Checks that the weights are those of `class`, the causal language model of its architecture.
fn check_class(architectures: Option<&[String]>, class: &str) -> Result<(), String> {
    match architectures {
        Some([other, ..]) if other != class => Err(format!(
            "it describes a {other}, which is not supported; use a {class}"
        )),
        _ => Ok(()),
    }
}
