//! What people's files and habits do to such a tool: classes of public reports, each with its smallest input and its right
//! value (tests/fixtures/cases/README.md). The name of a test begins with the number of its class, by which
//! scripts/bench-cases counts.

mod chats;
mod documents;
mod models;
mod packing;
mod rows;
mod tables;
mod tokenizers;

use riemann_lora::{
    data::{DataError, DataSettings, Dataset, Example, IGNORED_LABEL, Validation},
    load::{LoadError, MemorySource, Tokenizer},
    model::Checkpoint,
};
use serde_json::Value;

/// The contents of a file of the cases.
macro_rules! case {
    ($path:literal) => {
        include_bytes!(concat!("../../fixtures/cases/", $path)).as_slice()
    };
}
use case;

/// The random Llama of the cases, with some files in place of its own.
async fn checkpoint(own: &[(&str, &[u8])]) -> Result<Checkpoint<MemorySource>, LoadError> {
    let base = [
        ("config.json", case!("_base/config.json")),
        ("model.safetensors", case!("_base/model.safetensors")),
        ("tokenizer.json", case!("_base/tokenizer.json")),
        (
            "tokenizer_config.json",
            case!("_base/tokenizer_config.json"),
        ),
    ];
    let kept = base
        .iter()
        .filter(|(name, _)| own.iter().all(|(other, _)| other != name));
    let files = kept
        .chain(own)
        .map(|(name, bytes)| MemorySource::new(*name, *bytes));
    Checkpoint::open(files.collect()).await
}

fn tokenizer(own: &[(&str, &[u8])]) -> Tokenizer {
    let opened = pollster::block_on(checkpoint(own));
    opened.expect("the folder is sound").tokenizer().clone()
}

/// The settings of the cases.
fn settings() -> DataSettings {
    DataSettings {
        validation: Validation::None,
        sequence_length: 256,
        ..DataSettings::default()
    }
}

fn build(file: &str, bytes: &[u8], tokenizer: &Tokenizer) -> Result<Dataset, DataError> {
    Dataset::build(file, bytes, &settings(), tokenizer)
}

/// Lines and words of the rows that were left out.
fn skipped(dataset: &Dataset) -> Vec<(usize, &str)> {
    let rows = dataset.statistics().skipped.first.iter();
    rows.map(|row| (row.line, row.problem.as_str())).collect()
}

fn expected(json: &[u8]) -> Value {
    serde_json::from_slice(json).expect("the fixture is JSON")
}

fn numbers(value: &Value) -> Vec<i64> {
    let values = value.as_array().expect("it is a list").iter();
    values.map(|id| id.as_i64().expect("it is whole")).collect()
}

fn labels(example: &Example) -> Vec<i64> {
    let tokens = example.ids.iter().zip(&example.counts);
    tokens
        .map(|(id, counts)| match counts {
            true => i64::from(*id),
            false => i64::from(IGNORED_LABEL),
        })
        .collect()
}

/// The texts whose tokens count.
fn supervised(example: &Example, tokenizer: &Tokenizer) -> Vec<String> {
    let tokens: Vec<(u32, bool)> = example
        .ids
        .iter()
        .copied()
        .zip(example.counts.iter().copied())
        .collect();
    let runs = tokens.chunk_by(|one, other| one.1 == other.1);
    runs.filter(|run| run[0].1)
        .map(|run| {
            let ids: Vec<u32> = run.iter().map(|(id, _)| *id).collect();
            tokenizer.decode(&ids, false)
        })
        .collect()
}

/// Checks ids and labels, and where they are given, the text and what of it counts.
fn assert_example(example: &Example, expected: &Value, tokenizer: &Tokenizer, what: &str) {
    let ids: Vec<i64> = example.ids.iter().map(|id| i64::from(*id)).collect();
    assert_eq!(ids, numbers(&expected["ids"]), "{what}");
    assert_eq!(labels(example), numbers(&expected["labels"]), "{what}");
    if let Some(text) = expected["text"].as_str() {
        assert_eq!(tokenizer.decode(&example.ids, false), text, "{what}");
    }
    if let Some(texts) = expected["supervised"].as_array() {
        let found = supervised(example, tokenizer);
        assert_eq!(
            &found.into_iter().map(Value::from).collect::<Vec<_>>(),
            texts,
            "{what}"
        );
    }
}

fn assert_examples(dataset: &Dataset, expected: &Value, tokenizer: &Tokenizer, what: &str) {
    let list = std::slice::from_ref(expected);
    let list = expected.as_array().map_or(list, Vec::as_slice);
    assert_eq!(dataset.train().len(), list.len(), "{what}");
    for (example, expected) in dataset.train().iter().zip(list) {
        assert_example(example, expected, tokenizer, what);
    }
}
