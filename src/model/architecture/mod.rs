//! Which architectures there are, and what sets each apart: its modules with their names, and its config.
//!
//! Another one is a file here with a `static` [`Architecture`], and a line in [`ARCHITECTURES`]. How its block computes
//! follows from the modules that it lists and from its [`ModelConfig`] ([`super::block`]).

mod decoder;
mod fields;
mod gemma;
mod gpt2;
mod gpt_neox;
mod granite;
mod keys;
mod llama;
mod mistral;
mod olmo2;
mod phi3;
mod qwen2;
mod qwen3;
mod smollm3;

pub use fields::{Fields, MALFORMED};
pub use gpt2::GPT2;
pub use keys::Keys;
pub use llama::LLAMA;

use serde_json::Value;

use super::{ModelConfig, Target};
use crate::load::gguf::Metadata;

/// All that are computed here.
pub static ARCHITECTURES: [&Architecture; 12] = [
    &LLAMA,
    &mistral::MISTRAL,
    &qwen2::QWEN2,
    &qwen3::QWEN3,
    &smollm3::SMOLLM3,
    &granite::GRANITE,
    &gemma::GEMMA2,
    &gemma::GEMMA3,
    &olmo2::OLMO2,
    &phi3::PHI3,
    &gpt_neox::GPT_NEOX,
    &GPT2,
];

/// Reads the metadata of a GGUF file, or says what is wrong with them.
type FromGguf = fn(&'static Architecture, &Keys<'_>) -> Result<ModelConfig, String>;

/// An architecture: the table from which everything about its weights follows.
pub struct Architecture {
    /// HF's `model_type`.
    pub model_type: &'static str,
    /// Name in GGUF metadata.
    pub gguf_name: &'static str,
    /// What a user calls it.
    pub title: &'static str,
    /// HF's class of the causal language model.
    pub class: &'static str,
    /// What the names of a base class without a head lack at their beginning, where there are such files.
    pub prefix: Option<&'static str>,
    /// The embedding table.
    pub embedding: Name,
    /// The table of learned positions.
    pub positions: Option<Name>,
    /// What the names of blocks begin with in HF's checkpoints; the layer follows.
    pub blocks: &'static str,
    /// The modules of a block, in the order in which a forward pass meets them.
    pub modules: &'static [Module],
    /// The norm before the head.
    pub final_norm: Module,
    /// The output head.
    pub head: Name,
    /// Ends of names of tensors that its checkpoints store but models compute, beside those of all.
    pub computed: &'static [&'static str],
    /// Whether HF stores linear weights of blocks as [in, out].
    pub stores_columns: bool,
    /// Whether GGUF files keep rows of a rotary pair of queries and keys beside each other.
    pub gguf_keeps_pairs: bool,
    /// Whether norms multiply by 1 + weight, where GGUF files have the sum.
    pub rms_plus_one: bool,
    /// Whether norms of queries and keys go over all heads at once.
    pub norms_all_heads: bool,
    /// Whether the rows of the layer for queries, keys and values are those of one head after another, each with its
    /// queries, keys and values, where GGUF files have all queries first.
    pub interleaves_heads: bool,
    /// Names in `config.json` of what [`ModelConfig`] calls otherwise.
    pub json_names: &'static [(&'static str, &'static str)],
    /// Reads `config.json`.
    pub from_json: fn(&'static Architecture, &Fields) -> Result<ModelConfig, String>,
    /// What `config.json` says of a config.
    pub to_json: fn(&ModelConfig) -> Value,
    /// Reads the metadata of a GGUF file; `None` where its files are not read.
    pub from_gguf: Option<FromGguf>,
}

/// The names of one thing in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// In HF's checkpoints.
    pub hugging_face: &'static str,
    /// In GGUF files.
    pub gguf: &'static str,
}

/// A norm or a linear layer of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Module {
    /// Its name inside the block.
    pub name: Name,
    /// What it is for.
    pub place: Place,
    /// The word for it in settings, where it can carry an adapter.
    pub target: Option<Target>,
    /// Whether it has one.
    pub has_bias: bool,
}

/// What a module is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A norm.
    Norm(Norm),
    /// A linear layer.
    Linear(Projection),
}

/// The norms that a block can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    /// Before attention.
    Attention,
    /// Of queries.
    Queries,
    /// Of keys.
    Keys,
    /// Of attention's output, before it is added.
    AttentionOutput,
    /// Before the feed-forward layer.
    FeedForward,
    /// Of the feed-forward layer's output, before it is added.
    FeedForwardOutput,
}

impl Norm {
    /// How many there are.
    pub const COUNT: usize = 6;
}

/// The linear layers that a block can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projection {
    /// Queries.
    Queries,
    /// Keys.
    Keys,
    /// Values.
    Values,
    /// All three as one layer.
    QueriesKeysValues,
    /// Attention's output.
    AttentionOutput,
    /// Gate of the feed-forward layer.
    Gate,
    /// Values of the feed-forward layer.
    Up,
    /// Both as one layer, gate first.
    GateUp,
    /// Output of the feed-forward layer.
    Down,
}

impl Projection {
    /// How many there are.
    pub const COUNT: usize = 9;
}

/// A name in both formats.
const fn name(hugging_face: &'static str, gguf: &'static str) -> Name {
    Name { hugging_face, gguf }
}

impl Module {
    /// A norm without a bias.
    const fn norm(place: Norm, hugging_face: &'static str, gguf: &'static str) -> Self {
        Self {
            name: name(hugging_face, gguf),
            place: Place::Norm(place),
            target: None,
            has_bias: false,
        }
    }

    /// A linear layer without a bias.
    const fn linear(
        place: Projection,
        target: Target,
        hugging_face: &'static str,
        gguf: &'static str,
    ) -> Self {
        Self {
            name: name(hugging_face, gguf),
            place: Place::Linear(place),
            target: Some(target),
            has_bias: false,
        }
    }

    /// The same with a bias.
    const fn with_bias(self) -> Self {
        Self {
            has_bias: true,
            ..self
        }
    }
}

impl Architecture {
    /// The one that `config.json` names.
    ///
    /// # Errors
    /// None, or one that is not computed here.
    pub fn of_json(fields: &Fields) -> Result<&'static Self, String> {
        let Some(kind) = fields.text("model_type")? else {
            return Err("it does not name its architecture (model_type)".to_owned());
        };
        let found = ARCHITECTURES.iter().find(|known| known.model_type == kind);
        found.copied().ok_or_else(|| {
            let known = ARCHITECTURES.iter().map(|known| known.model_type);
            unknown(kind, &known.collect::<Vec<_>>())
        })
    }

    /// The one that the metadata of a GGUF file name.
    ///
    /// # Errors
    /// As [`Architecture::of_json`].
    pub fn of_gguf(metadata: &Metadata) -> Result<&'static Self, String> {
        let Some(kind) = metadata.string("general.architecture")? else {
            return Err("it does not name its architecture (general.architecture)".to_owned());
        };
        let read = ARCHITECTURES
            .iter()
            .filter(|known| known.from_gguf.is_some());
        let found = read.clone().find(|known| known.gguf_name == kind);
        found.copied().ok_or_else(|| {
            let known = read.map(|known| known.gguf_name);
            unknown(kind, &known.collect::<Vec<_>>())
        })
    }

    /// Reads the metadata of one of its GGUF files.
    ///
    /// # Errors
    /// The problem in words: an extension that is not computed here, or a value that is missing or contradicts another.
    pub fn read_gguf(&'static self, keys: &Keys<'_>) -> Result<ModelConfig, String> {
        let Some(read) = self.from_gguf else {
            return Err(format!("a {} is not read from GGUF files", self.title));
        };
        let config = read(self, keys)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    /// Name of block `layer` in HF's checkpoints.
    pub fn block_name(&self, layer: usize) -> String {
        format!("{}.{layer}", self.blocks)
    }

    /// The layers of a block that can carry an adapter, parts of layers among them.
    pub fn targets(&self) -> Vec<Target> {
        let all = Target::ALL.into_iter();
        all.filter(|target| target.module(self).is_some()).collect()
    }

    /// The module of a block that is there for `place`.
    pub fn module_at(&self, place: Place) -> Option<&Module> {
        self.modules.iter().find(|module| module.place == place)
    }

    /// The module of a block with this name in HF's checkpoints.
    pub fn module_named(&self, name: &str) -> Option<&Module> {
        let mut modules = self.modules.iter();
        modules.find(|module| module.name.hugging_face == name)
    }

    /// Whether queries, keys and values are one layer.
    pub fn is_fused(&self) -> bool {
        let fused = Place::Linear(Projection::QueriesKeysValues);
        self.module_at(fused).is_some()
    }

    /// Whether the gate and values of the feed-forward layer are one layer.
    pub fn is_gate_fused(&self) -> bool {
        self.module_at(Place::Linear(Projection::GateUp)).is_some()
    }

    /// Whether the feed-forward layer has a gate.
    pub fn is_gated(&self) -> bool {
        let gate = Place::Linear(Projection::Gate);
        self.is_gate_fused() || self.module_at(gate).is_some()
    }

    /// The name in `config.json` of a field of [`ModelConfig`].
    pub fn json_name(&self, field: &'static str) -> &'static str {
        let mut names = self.json_names.iter();
        names
            .find(|(ours, _)| *ours == field)
            .map_or(field, |(_, theirs)| theirs)
    }
}

/// Says of another architecture which would do.
fn unknown(kind: &str, known: &[&str]) -> String {
    let known = match known.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    };
    format!(
        "its architecture is {kind}, which is not supported; use a model of the {known} architecture"
    )
}

/// There is one value of each, so its place is what it is.
impl PartialEq for Architecture {
    fn eq(&self, other: &Self) -> bool {
        self.model_type == other.model_type
    }
}

impl std::fmt::Debug for Architecture {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.model_type)
    }
}
