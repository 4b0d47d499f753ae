//! Inputs as nobody should make them, and all that is done with one that is accepted. The same natively and in the browser.

mod bytes;
pub mod checkpoint;
pub mod config;
pub mod data;
mod fixtures;
pub mod gguf;
#[allow(
    dead_code,
    clippy::duplicate_mod,
    reason = "the tests of loading use the rest, and tests/everywhere has it in both"
)]
#[path = "../../everywhere/load/gguf_writer.rs"]
mod gguf_writer;
mod json;
mod numbers;
pub mod peft;
pub mod pictures;
mod random;
pub mod safetensors;
pub mod settings;
pub mod template;
mod texts;
pub mod tokenizer;
mod using;

pub use random::Random;

/// What a case is made of: names and contents.
pub type Files = Vec<(String, Vec<u8>)>;

/// Whether a case was accepted, and the words of its refusal.
pub type Outcome = Result<(), String>;

/// A kind of input.
pub trait Target {
    /// A case from random choices; the same choices make the same case.
    fn draw(&self, random: &mut Random) -> Files;

    /// Reads a case, and does all with it that a user would. What it chooses follows from the case.
    ///
    /// # Errors
    /// Why the input is refused.
    ///
    /// # Panics
    /// If something is wrong that is not the input.
    fn attempt(&self, files: &Files) -> Outcome;
}

/// Makes a target, with what it needs.
type Make = fn() -> Box<dyn Target>;

/// All targets, with the cases that every run of the tests tries.
pub const TARGETS: &[(&str, u64, Make)] = &[
    ("gguf", 6_000, || Box::new(gguf::Gguf)),
    ("safetensors", 3_000, || {
        Box::new(safetensors::Safetensors::new())
    }),
    ("config", 3_000, || Box::new(config::Config::new())),
    ("tokenizer", 3_000, || Box::new(tokenizer::TokenizerFiles)),
    ("template", 20_000, || Box::new(template::Template)),
    ("peft", 6_000, || Box::new(peft::Peft::new())),
    ("data", 20_000, || Box::new(data::Data::new())),
    ("checkpoint", 10_000, || {
        Box::new(checkpoint::Checkpoints::new())
    }),
    ("settings", 10_000, || Box::new(settings::Settings::new())),
    ("pictures", 10_000, || {
        Box::new(pictures::PictureFiles::new())
    }),
];

/// The contents of the file `name`, none where the case has no such file.
fn file<'a>(files: &'a Files, name: &str) -> &'a [u8] {
    let found = files.iter().find(|(other, _)| other == name);
    found.map_or(&[], |(_, bytes)| bytes)
}

/// The file of a case that is none of `others`.
fn file_beside<'a>(files: &'a Files, others: &[&str]) -> (&'a str, &'a [u8]) {
    let found = files
        .iter()
        .find(|(name, _)| !others.contains(&name.as_str()));
    found.map_or(("", &[]), |(name, bytes)| (name, bytes))
}
