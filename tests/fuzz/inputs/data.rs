//! Data files with their settings.

use riemann_lora::{
    data::{DataSettings, DatasetBuilder},
    load::Tokenizer,
    model::Checkpoint,
};
use serde_json::{Value, json};

use super::{
    Files, Outcome, Random, Target,
    bytes::wound,
    file, file_beside,
    fixtures::{Model, sources},
    gguf_writer::{self, GgufWriter, TINY},
    json::{damage, nested, set, text_of},
    numbers::number,
    texts::odd_text,
    using::words,
};

/// A file to train on, perhaps one to validate on, and the settings of both.
pub struct Data {
    tokenizers: Vec<(&'static str, Tokenizer)>,
}

const SETTINGS: &str = "settings.json";
/// Names the tokenizer.
const TOKENIZER: &str = "tokenizer.txt";
const VALIDATION: &str = "validation.txt";
const NAMES: &[&str] = &[
    "a.txt", "a.jsonl", "a.json", "a.csv", "a.tsv", "a", "a.JSON", ".csv", "a.b.c", "a.md",
];

const PIECES: &[&str] = &[
    "a",
    "b c",
    "||",
    " || ",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\"",
    "\"\"",
    ",",
    ";",
    "\t",
    "{",
    "}",
    "[",
    "]",
    ":",
    "\\",
    "\\u0000",
    "\\ud800",
    "prompt",
    "completion",
    "question,answer\n",
    "prompt,completion\n",
    "prompt\tcompletion\n",
    "{\"prompt\":\"a\",\"completion\":\"b\"}\n",
    "{\"text\":\"hello\"}\n",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]}\n",
    "{\"conversations\":[{\"from\":\"human\",\"value\":\"a\"},{\"from\":\"gpt\",\"value\":\"b\"}]}\n",
    "{\"instruction\":\"a\",\"input\":null,\"output\":3}\n",
    "null",
    "true",
    "1e9",
    "-",
    "\0",
    "\u{FEFF}",
    "\u{85}",
    "\u{2028}",
    "日本",
    "e\u{301}",
    "<|endoftext|>",
    "<|end|>",
    "<|start|>",
    "é",
    "x y z||w\n",
    "a,b\n",
    "a\tb\n",
    "# a\n",
    "{{ messages }}",
];

impl Data {
    pub fn new() -> Self {
        let mut tokenizers = vec![("golden", Model::Llama.base().1)];
        for pre in ["smollm", "llama-bpe", "qwen2", "default", "gpt-2"] {
            let mut writer = GgufWriter::llama(TINY);
            writer.set("tokenizer.ggml.pre", gguf_writer::Value::String(pre.into()));
            let file = ("a.gguf".to_owned(), writer.finish());
            let checkpoint = pollster::block_on(Checkpoint::open(sources(&vec![file])));
            tokenizers.push((pre, checkpoint.expect("it is sound").into_tokenizer()));
        }
        Self { tokenizers }
    }

    fn settings(random: &mut Random) -> Value {
        let mut settings =
            serde_json::to_value(DataSettings::default()).expect("settings are JSON");
        set(
            &mut settings,
            "sequence_length",
            json!(random.pick(&[2, 3, 5, 16, 128, 65_536])),
        );
        let ideas = [
            (
                "format",
                json!(random.pick(&["text", "pairs", "json_lines", "table"])),
            ),
            (
                "encoding",
                json!(random.pick(&["utf_8", "utf_16_le", "utf_16_be", "windows_1252"])),
            ),
            (
                "columns",
                json!({"prompt": [random.pick(&["prompt", "a", "", "text"])], "completion": random.pick(&["completion", "b", "", "prompt"])}),
            ),
            ("documents", json!("blank_line")),
            ("prompt_style", json!("chat")),
            ("separator", json!(odd_text(random))),
            ("loss_on", json!("all")),
            (
                "validation",
                json!({"share": random.pick(&[0.0, 1e-300, 0.5, 0.999_999_999])}),
            ),
            ("validation", json!({"count": number(random)})),
            ("validation", json!("none")),
            ("maximum_examples", json!(1 + random.below(5))),
            ("seed", json!(random.word() as u32)),
        ];
        for _ in 0..random.below(6) {
            let (name, value) = random.pick(&ideas);
            set(&mut settings, name, value.clone());
        }
        if random.once_in(8) {
            damage(random, &mut settings, &[]);
        }
        settings
    }

    fn tokenizer(&self, name: &[u8]) -> &Tokenizer {
        let named = self
            .tokenizers
            .iter()
            .find(|(other, _)| other.as_bytes() == name);
        &named.unwrap_or(&self.tokenizers[0]).1
    }
}

impl Target for Data {
    fn draw(&self, random: &mut Random) -> Files {
        let settings = Self::settings(random);
        let (tokenizer, _) = random.pick(&self.tokenizers);
        let mut files = vec![
            (SETTINGS.into(), settings.to_string().into_bytes()),
            (TOKENIZER.into(), tokenizer.as_bytes().into()),
        ];
        if random.once_in(5) {
            files.push((VALIDATION.into(), contents(random)));
        }
        files.push(((*random.pick(NAMES)).into(), contents(random)));
        files
    }

    fn attempt(&self, files: &Files) -> Outcome {
        let tokenizer = self.tokenizer(file(files, TOKENIZER));
        let settings: DataSettings =
            serde_json::from_slice(file(files, SETTINGS)).map_err(words)?;
        let (name, bytes) = file_beside(files, &[SETTINGS, TOKENIZER, VALIDATION]);
        let mut builder = DatasetBuilder::new(name, bytes, &settings).map_err(words)?;
        if files.iter().any(|(name, _)| name == VALIDATION) {
            builder = builder
                .with_validation("v.txt", file(files, VALIDATION))
                .map_err(words)?;
        }
        while !builder.progress().is_finished() {
            let progress = builder.next_chunk(tokenizer, 7);
            assert!(progress.done <= progress.total);
        }
        let dataset = builder.finish(tokenizer).map_err(words)?;
        assert!(!dataset.train().is_empty());
        let mut batches = dataset.train_batches(3).map_err(words)?;
        for step in [0, 1, 7, u64::MAX] {
            let batch = batches.batch(step);
            assert_eq!(batch.ids.len(), batch.rows * batch.tokens);
            assert!(batch.tokens <= settings.sequence_length.next_multiple_of(8));
            assert!(batch.counted() > 0, "a batch that teaches nothing");
        }
        for batch in dataset.validation_batches(5, 2).map_err(words)? {
            assert_eq!(batch.labels.len(), batch.rows * batch.tokens);
        }
        for example in dataset.train().iter().take(8) {
            assert!(example.ids.len() <= settings.sequence_length);
            tokenizer.decode(&example.ids, false);
        }
        Ok(())
    }
}

fn contents(random: &mut Random) -> Vec<u8> {
    match random.below(6) {
        0 => (0..random.below(400)).map(|_| random.byte()).collect(),
        1 => rows(random),
        _ => {
            let pieces = (0..random.below(60)).map(|_| *random.pick(PIECES));
            let mut text = pieces.collect::<String>().into_bytes();
            if random.once_in(4) {
                text.extend(odd_text(random).bytes());
            }
            if random.once_in(3) {
                let reach = text.len();
                wound(random, &mut text, reach);
            }
            text
        }
    }
}

/// Lines of JSON, each with more damage than the one before.
fn rows(random: &mut Random) -> Vec<u8> {
    let mut row = json!({
        "prompt": "a", "completion": "b", "text": "t", "tools": [],
        "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": "y", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
        ],
    });
    let mut text = Vec::new();
    for _ in 0..1 + random.below(6) {
        for _ in 0..random.below(3) {
            let idea = nested(random.below(200), json!(1));
            damage(random, &mut row, &[idea]);
        }
        text.extend(text_of(random, &row));
        text.push(b'\n');
    }
    text
}
