//! The folder of a pretraining: the model as HF writes it, a checkpoint, and all losses.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use riemann_lora::{
    load::{Tokenizer, TokenizerExtras},
    model::ModelConfig,
    pretrain::Weights,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::tokenizer::END_OF_TEXT;

/// The loss of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Counts from 1.
    pub step: u32,
    /// Training loss.
    pub loss: f32,
    /// Loss on the held-out windows after this step, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
}

/// A folder that exists.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes it where it is missing.
    pub fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| path.display().to_string())?;
        Ok(Self(path.to_owned()))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        // Only a whole file ever has the final name.
        let (fresh, path) = (self.path(&format!("{name}.new")), self.path(name));
        fs::write(&fresh, bytes)
            .and_then(|()| fs::rename(&fresh, &path))
            .with_context(|| path.display().to_string())
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path(name);
        match path.exists() {
            true => Ok(Some(
                fs::read(&path).with_context(|| path.display().to_string())?,
            )),
            false => Ok(None),
        }
    }

    /// The folder's tokenizer, made first where there is none.
    pub fn tokenizer(&self, make: impl FnOnce() -> Result<String>) -> Result<Tokenizer> {
        const FILE: &str = "tokenizer.json";
        let json = match self.read(FILE)? {
            Some(json) => json,
            None => {
                let json = make()?.into_bytes();
                self.write(FILE, &json)?;
                json
            }
        };
        let config = tokenizer_config().to_string();
        self.write("tokenizer_config.json", config.as_bytes())?;
        let extras = TokenizerExtras {
            tokenizer_config: Some(config.as_bytes()),
            ..TokenizerExtras::default()
        };
        Ok(Tokenizer::from_json(&json, &extras)?)
    }

    /// The last checkpoint.
    pub fn checkpoint(&self) -> Result<Option<Vec<u8>>> {
        self.read("checkpoint.safetensors")
    }

    /// Keeps a checkpoint in place of the last.
    pub fn keep(&self, checkpoint: &[u8]) -> Result<()> {
        self.write("checkpoint.safetensors", checkpoint)
    }

    /// Adds a step's loss.
    pub fn add(&self, point: &Point) -> Result<()> {
        let path = self.path("losses.jsonl");
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let line = serde_json::to_string(point)?;
        file.and_then(|mut file| writeln!(file, "{line}"))
            .with_context(|| path.display().to_string())
    }

    /// The losses up to `step`; those of steps that a stop threw away are dropped.
    pub fn points(&self, step: u32) -> Result<Vec<Point>> {
        let path = self.path("losses.jsonl");
        let mut points: Vec<Point> = Vec::new();
        if path.exists() {
            for line in BufReader::new(File::open(&path)?).lines() {
                // The last line may be cut off.
                let Ok(point) = serde_json::from_str(&line?) else {
                    break;
                };
                points.push(point);
            }
        }
        points.retain(|point| point.step <= step);
        let lines = points
            .iter()
            .map(|point| Ok(serde_json::to_string(point)? + "\n"));
        self.write(
            "losses.jsonl",
            lines.collect::<Result<String>>()?.as_bytes(),
        )?;
        Ok(points)
    }

    /// Writes what `from_pretrained` and the page read beside the tokenizer.
    pub async fn write_model(
        &self,
        name: &str,
        config: &ModelConfig,
        weights: &Weights,
    ) -> Result<()> {
        self.write("model.safetensors", &weights.to_safetensors().await?)?;
        let mut json = serde_json::to_value(config)?;
        if let (Value::Object(json), Value::Object(more)) = (&mut json, model_config(name)) {
            json.extend(more);
        }
        self.write(
            "config.json",
            serde_json::to_string_pretty(&json)?.as_bytes(),
        )
    }
}

/// What HF wants beside the shape of a Llama.
fn model_config(name: &str) -> Value {
    json!({
        "_name_or_path": name,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "torch_dtype": "float16",
    })
}

fn tokenizer_config() -> Value {
    json!({
        "bos_token": END_OF_TEXT,
        "eos_token": END_OF_TEXT,
        "pad_token": END_OF_TEXT,
        "tokenizer_class": "PreTrainedTokenizerFast",
    })
}
