//! Tokenizers in the files that people have.

use riemann_lora::{load::MemorySource, model::Checkpoint};
use serde_json::{Value, json};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{assert_examples, build, case, checkpoint, expected, numbers, tokenizer};

fn error_of(own: &[(&str, &[u8])]) -> String {
    match pollster::block_on(checkpoint(own)) {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn ids(tokenizer: &riemann_lora::load::Tokenizer, text: &str) -> Vec<i64> {
    let ids = tokenizer.encode(text).expect("it can be encoded");
    ids.into_iter().map(i64::from).collect()
}

#[wasm_bindgen_test(unsupported = test)]
fn class_25_special_tokens_are_found_in_the_file_that_has_them() {
    let expected = expected(case!("25-tokenizer/expected.json"));
    let pair = case!("25-tokenizer/pair.jsonl");
    let added = tokenizer(&[(
        "tokenizer_config.json",
        case!("25-tokenizer/added-decoder/tokenizer_config.json"),
    )]);
    let right = &expected["added-decoder"];
    assert_eq!(
        ids(&added, "a<|new_end|>"),
        numbers(&right["ids of \"a<|new_end|>\""])
    );
    let dataset = build("pair.jsonl", pair, &added).unwrap();
    assert_examples(&dataset, &right["pair.jsonl"], &added, "added-decoder");

    let map = tokenizer(&[
        ("config.json", case!("25-tokenizer/special-map/config.json")),
        (
            "special_tokens_map.json",
            case!("25-tokenizer/special-map/special_tokens_map.json"),
        ),
        (
            "tokenizer_config.json",
            case!("25-tokenizer/special-map/tokenizer_config.json"),
        ),
    ]);
    let dataset = build("pair.jsonl", pair, &map).unwrap();
    assert_examples(
        &dataset,
        &expected["special-map"]["pair.jsonl"],
        &map,
        "special-map",
    );

    let swapped = tokenizer(&[(
        "tokenizer_config.json",
        case!("25-tokenizer/swapped/tokenizer_config.json"),
    )]);
    assert_eq!(
        swapped.notices(),
        [
            "tokenizer_config.json gives other ids than tokenizer.json to <|im_end|> (321, not 320), <|im_start|> (320, not 321); those of tokenizer.json are used"
        ]
    );
    assert_eq!(swapped.eos_ids()[0], 321);
}

#[wasm_bindgen_test(unsupported = test)]
fn class_25_a_space_that_nobody_wrote_stands_where_the_whole_text_has_it() {
    let llama = tokenizer(&[
        (
            "tokenizer.json",
            case!("25-tokenizer/prefix-space/tokenizer.json"),
        ),
        (
            "tokenizer_config.json",
            case!("25-tokenizer/prefix-space/tokenizer_config.json"),
        ),
    ]);
    let rows = case!("25-tokenizer/prefix-space/rows.jsonl");
    let dataset = build("rows.jsonl", rows, &llama).unwrap();
    let expected = expected(case!("25-tokenizer/expected.json"));
    assert_examples(&dataset, &expected["prefix-space"], &llama, "prefix-space");
}

#[wasm_bindgen_test(unsupported = test)]
fn class_25_other_kinds_are_refused_with_the_file_that_would_do() {
    let unigram = error_of(&[(
        "tokenizer.json",
        case!("25-tokenizer/unigram/tokenizer.json"),
    )]);
    assert!(
        unigram.starts_with("tokenizer.json: its model is Unigram, which is not supported"),
        "{unigram}"
    );
    // Folders without tokenizer.json.
    for others in [
        &["tokenizer.model"][..],
        &["vocab.json", "merges.txt"],
        &["tekken.json"],
    ] {
        let mut files = vec![
            MemorySource::new("config.json", case!("_base/config.json")),
            MemorySource::new("model.safetensors", case!("_base/model.safetensors")),
        ];
        files.extend(
            others
                .iter()
                .map(|name| MemorySource::new(*name, b"{}".as_slice())),
        );
        let error = pollster::block_on(Checkpoint::open(files))
            .unwrap_err()
            .to_string();
        let named = others
            .iter()
            .any(|name| error.starts_with(&format!("{name}: ")));
        assert!(named && error.contains("give tokenizer.json"), "{error}");
    }
}

/// The tokenizer of the cases with another part.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut json = expected(case!("_base/tokenizer.json"));
    change(&mut json);
    serde_json::to_vec(&json).expect("it is JSON")
}

#[wasm_bindgen_test(unsupported = test)]
fn class_25_merges_are_strings_or_pairs() {
    let merges = expected(case!("_base/tokenizer.json"))["model"]["merges"].clone();
    let halves = |merge: &Value| match merge {
        Value::String(joined) => joined.split(' ').map(str::to_owned).collect::<Vec<_>>(),
        pair => serde_json::from_value(pair.clone()).expect("it is a pair"),
    };
    let halves: Vec<Vec<String>> = merges
        .as_array()
        .expect("it is a list")
        .iter()
        .map(halves)
        .collect();
    let joined: Vec<String> = halves.iter().map(|pair| pair.join(" ")).collect();
    let strings = changed(|json| json["model"]["merges"] = json!(joined));
    let pairs = changed(|json| json["model"]["merges"] = json!(halves));
    let [strings, pairs] = [strings, pairs].map(|bytes| tokenizer(&[("tokenizer.json", &bytes)]));
    for text in TEXTS {
        assert_eq!(ids(&strings, text), ids(&pairs, text), "{text:?}");
    }
    assert_eq!(
        ids(&strings, "the cat sat"),
        ids(&tokenizer(&[]), "the cat sat")
    );

    // Only pairs can have halves with a space in them.
    let spaced = changed(|json| {
        json["pre_tokenizer"] = Value::Null;
        json["model"]["vocab"]["a b"] = json!(323);
        json["model"]["vocab"]["a bc"] = json!(324);
        json["model"]["vocab"][" "] = json!(325);
        json["model"]["vocab"]["a "] = json!(326);
        json["model"]["merges"] = json!([["a", " "], ["a ", "b"], ["a b", "c"]]);
    });
    assert_eq!(
        ids(&tokenizer(&[("tokenizer.json", &spaced)]), "a bc"),
        [324]
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn class_25_the_template_is_chosen_by_a_rule() {
    let config = |template: Value| {
        let mut json = expected(case!("_base/tokenizer_config.json"));
        json["chat_template"] = template;
        serde_json::to_vec(&json).expect("it is JSON")
    };
    let list = config(json!([
        {"name": "tool_use", "template": "tools"},
        {"name": "default", "template": "plain"},
    ]));
    let string = config(json!("inline"));
    let none = config(Value::Null);
    let file = ("chat_template.jinja", b"file".as_slice());
    for (files, expected) in [
        (
            vec![("tokenizer_config.json", list.as_slice())],
            Some("plain"),
        ),
        (
            vec![("tokenizer_config.json", string.as_slice())],
            Some("inline"),
        ),
        (vec![("tokenizer_config.json", none.as_slice())], None),
        (
            vec![("tokenizer_config.json", none.as_slice()), file],
            Some("file"),
        ),
        (
            vec![("tokenizer_config.json", list.as_slice()), file],
            Some("file"),
        ),
    ] {
        assert_eq!(tokenizer(&files).chat_template(), expected);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn class_25_special_tokens_are_texts_objects_or_null() {
    for (eos, right) in [
        (json!("<|im_end|>"), vec![321]),
        (json!({"content": "<|im_end|>", "lstrip": false}), vec![321]),
        // Its id in config.json still ends generation, and no other token could end a text.
        (Value::Null, vec![321]),
    ] {
        let mut json = expected(case!("_base/tokenizer_config.json"));
        json["eos_token"] = eos.clone();
        let bytes = serde_json::to_vec(&json).expect("it is JSON");
        assert_eq!(
            tokenizer(&[("tokenizer_config.json", &bytes)]).eos_ids(),
            right,
            "{eos}"
        );
    }
}

/// Where tokenizers differ: digits, spaces, scripts, emoji of several parts, line ends, accents on their own.
const TEXTS: [&str; 12] = [
    "12345",
    "  double",
    "tabs\tand   spaces ",
    "漢字かな交じり文",
    "👨\u{200d}👩\u{200d}👧 👍🏽",
    "a\r\nb\n\n c\r",
    "e\u{301}a\u{308} \u{e9}",
    "It's we'LL they'Ve",
    "x=y+1;//...!?\n",
    "٣٤ ४५ ½",
    "العربية עברית",
    "\u{a0}no\u{2028}break\u{3000}",
];
