//! Sound files to begin with.

use burn::tensor::Device;
use riemann_lora::{
    load::{MemorySource, Tokenizer},
    model::{Base, Checkpoint},
};
use serde_json::Value;

use super::Files;

macro_rules! golden {
    ($($path:literal),*) => {
        include_bytes!(concat!("../../fixtures/golden/", $($path),*)).as_slice()
    };
}
pub(super) use golden;

pub const TOKENIZER: &[u8] = golden!("tokenizer.json");

/// An architecture's configuration and weights.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Model {
    Llama,
    Gpt2,
}

impl Model {
    pub fn config(self) -> &'static [u8] {
        match self {
            Self::Llama => golden!("llama/model/config.json"),
            Self::Gpt2 => golden!("gpt2/model/config.json"),
        }
    }

    pub fn weights(self) -> &'static [u8] {
        match self {
            Self::Llama => golden!("llama/model/model.safetensors"),
            Self::Gpt2 => golden!("gpt2/model/model.safetensors"),
        }
    }

    /// The folder that a hub has of it.
    pub fn folder(self) -> Files {
        folder(self.config(), self.weights())
    }

    pub fn base(self) -> (Base, Tokenizer) {
        let checkpoint = pollster::block_on(Checkpoint::open(sources(&self.folder())));
        let checkpoint = checkpoint.expect("a golden model opens");
        let base = pollster::block_on(Base::load(&checkpoint, &Device::default(), |_, _| true));
        (
            base.expect("a golden model loads"),
            checkpoint.into_tokenizer(),
        )
    }
}

/// A folder of a model; `config.json` comes first and `model.safetensors` second.
pub fn folder(config: &[u8], weights: &[u8]) -> Files {
    vec![
        ("config.json".into(), config.to_vec()),
        ("model.safetensors".into(), weights.to_vec()),
        ("tokenizer.json".into(), TOKENIZER.to_vec()),
    ]
}

pub fn sources(files: &Files) -> Vec<MemorySource> {
    let files = files.iter();
    files
        .map(|(name, bytes)| MemorySource::new(name.as_str(), bytes.as_slice()))
        .collect()
}

pub fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("a fixture is JSON")
}

/// Header and data of a safetensors file.
pub fn split(bytes: &[u8]) -> (Value, Vec<u8>) {
    let (length, rest) = bytes
        .split_first_chunk()
        .expect("a safetensors file has a length");
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    (json_of(header), data.to_vec())
}

/// A safetensors file whose header is said to be `claimed` bytes long, where that is not its length.
pub fn join(header: &[u8], data: &[u8], claimed: Option<u64>) -> Vec<u8> {
    let length = claimed.unwrap_or(header.len() as u64).to_le_bytes();
    [&length, header, data].concat()
}
