//! Files in the forms in which people keep them: their rows are those of forms.json, which the reader of exported scripts gives
//! too (www/unit/read-data.test.ts).

use riemann_lora::data::read::{ReadOptions, Record, read};
use riemann_lora::data::{Conversation, DataSettings, decode::decode, detect};
use serde::Deserialize;
use serde_json::{Value, json};
use wasm_bindgen_test::wasm_bindgen_test;

#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    content: String,
    #[serde(default)]
    encoded: Option<String>,
    #[serde(default)]
    settings: Option<DataSettings>,
    rows: Vec<Value>,
    skipped: usize,
}

/// The bytes of a text in one of Python's encodings.
fn encode(text: &str, encoding: Option<&str>) -> Vec<u8> {
    match encoding {
        None => text.into(),
        Some("utf-8-sig") => format!("\u{feff}{text}").into_bytes(),
        Some("utf-16") => format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
        Some("cp1252") => text
            .chars()
            .map(|letter| match letter {
                '€' => 0x80,
                '“' => 0x93,
                '”' => 0x94,
                letter => u8::try_from(u32::from(letter)).unwrap(),
            })
            .collect(),
        Some(other) => panic!("{other}"),
    }
}

fn shown(record: Record) -> Option<Value> {
    match record {
        Record::Pair {
            system,
            prompt,
            completion,
        } => Some(json!({"system": system, "prompt": prompt, "completion": completion})),
        Record::Chat(Conversation { messages, tools }) => {
            let message = |message: riemann_lora::load::ChatMessage| {
                json!({
                    "role": message.role,
                    "content": message.content,
                    "learned": message.learned,
                    "more": message.more,
                })
            };
            let messages: Vec<Value> = messages.into_iter().map(message).collect();
            Some(json!({"messages": messages, "tools": tools}))
        }
        Record::Text(text) => Some(json!({"text": text})),
        Record::EndOfDocument => None,
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn every_form_has_its_rows() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../fixtures/forms/forms.json")).unwrap();
    assert_eq!(cases.len(), 47);
    for case in cases {
        let name = &case.name;
        let settings = case.settings.unwrap_or_default();
        let bytes = encode(&case.content, case.encoded.as_deref());
        let (text, _) = decode(&case.file, bytes, settings.encoding).unwrap();
        let options = ReadOptions {
            format: settings
                .format
                .unwrap_or_else(|| detect(&case.file, &text).0),
            columns: settings.columns,
            documents: settings.documents,
            roles: settings.roles,
            maximum: settings.maximum_examples.unwrap_or(usize::MAX),
        };
        let read = read(&case.file, &text, &options).unwrap();
        let rows: Vec<Value> = read
            .records
            .into_iter()
            .filter_map(|row| shown(row.record))
            .collect();
        assert_eq!(rows, case.rows, "{name}");
        assert_eq!(read.skipped.rows(), case.skipped, "{name}");
    }
}
