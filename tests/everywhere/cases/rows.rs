//! Pairs: how they are written, cut and ended.

use riemann_lora::data::{DataSettings, Dataset, IGNORED_LABEL, PromptStyle, encode_prompt};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{assert_examples, build, case, expected, settings, skipped, tokenizer};

#[wasm_bindgen_test(unsupported = test)]
fn class_00_files_in_every_form_have_their_rows() {
    let tokenizer = tokenizer(&[]);
    let expected = expected(case!("00-exported-script/expected.json"));
    let files = [
        ("semicolon.csv", case!("00-exported-script/semicolon.csv")),
        ("upper.jsonl", case!("00-exported-script/upper.jsonl")),
        (
            "header-space.csv",
            case!("00-exported-script/header-space.csv"),
        ),
        (
            "line-separator.jsonl",
            case!("00-exported-script/line-separator.jsonl"),
        ),
        ("number.jsonl", case!("00-exported-script/number.jsonl")),
    ];
    for (file, bytes) in files {
        let dataset = build(file, bytes, &tokenizer).unwrap();
        assert_examples(&dataset, &expected[file], &tokenizer, file);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn class_03_a_text_that_begins_with_the_token_gets_no_second_one() {
    let own = [
        ("tokenizer.json", case!("03-bos/tokenizer.json")),
        (
            "tokenizer_config.json",
            case!("03-bos/tokenizer_config.json"),
        ),
    ];
    let tokenizer = tokenizer(&own);
    assert!(tokenizer.starts_with_bos());
    let expected = expected(case!("03-bos/expected.json"));
    for (file, bytes) in [
        ("literal.txt", case!("03-bos/literal.txt")),
        ("literal.jsonl", case!("03-bos/literal.jsonl")),
    ] {
        let dataset = build(file, bytes, &tokenizer).unwrap();
        assert_examples(&dataset, &expected[file], &tokenizer, file);
    }
    // The template writes it, and the tokenizer would add another.
    let chat = br#"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]}"#;
    let dataset = build("chat.jsonl", chat, &tokenizer).unwrap();
    let begins = |ids: &[u32]| ids.iter().filter(|id| **id == 322).count();
    assert_eq!(begins(&dataset.train()[0].ids), 1);
    assert_eq!(dataset.train()[0].ids[0], 322);
    for style in [PromptStyle::Plain, PromptStyle::Chat] {
        for prompt in ["Hi", "<s>Hi"] {
            let ids = encode_prompt(prompt, style, "\n", &tokenizer).unwrap();
            assert_eq!(ids[0], 322, "{style:?} {prompt}");
            assert_eq!(begins(&ids), 1, "{style:?} {prompt}");
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn class_03_a_token_that_is_null_is_not_filled_in_from_elsewhere() {
    let own = [
        ("config.json", case!("03-bos/no-bos/config.json")),
        (
            "tokenizer_config.json",
            case!("03-bos/no-bos/tokenizer_config.json"),
        ),
    ];
    let tokenizer = tokenizer(&own);
    assert_eq!(
        (tokenizer.bos_id(), tokenizer.starts_with_bos()),
        (None, false)
    );
    let expected = expected(case!("03-bos/expected.json"));
    let file = "no-bos/chat.jsonl";
    let dataset = build(file, case!("03-bos/no-bos/chat.jsonl"), &tokenizer).unwrap();
    assert_examples(&dataset, &expected[file], &tokenizer, file);
}

#[wasm_bindgen_test(unsupported = test)]
fn class_01_the_end_is_learned_although_it_fills_up_batches() {
    let tokenizer = tokenizer(&[]);
    assert_eq!(
        (tokenizer.pad_id(), tokenizer.eos_ids()),
        (Some(321), &[321][..])
    );
    let answers = ["Yo", "Yes, of course, come in and sit down.", "No"];
    let row = |(number, answer): (usize, &&str)| {
        let messages = serde_json::json!([
            {"role": "user", "content": format!("question {number}")},
            {"role": "assistant", "content": answer},
            {"role": "user", "content": "again"},
            {"role": "assistant", "content": answer},
        ]);
        serde_json::json!({ "messages": messages }).to_string()
    };
    let rows: Vec<String> = answers.iter().enumerate().map(row).collect();
    let dataset = build("a.jsonl", rows.join("\n").as_bytes(), &tokenizer).unwrap();
    let batch = dataset.train_batches(3).unwrap().batch(0);
    assert_eq!(batch.rows, 3);
    let mut ends = Vec::new();
    for row in 0..3 {
        let at = row * batch.tokens..(row + 1) * batch.tokens;
        let (ids, labels) = (&batch.ids[at.clone()], &batch.labels[at]);
        let example = dataset.train().iter().find(|example| {
            let own: Vec<i32> = example.ids.iter().map(|id| *id as i32).collect();
            ids.starts_with(&own)
        });
        let length = example.expect("each row is an example").ids.len();
        // Two turns of the user, whose ends are given, and two answers, whose ends are learned.
        let learned: Vec<bool> = (0..length)
            .filter(|&token| ids[token] == 321)
            .map(|token| labels[token] == 321)
            .collect();
        ends.push(learned);
        assert!(labels[length..].iter().all(|label| *label == IGNORED_LABEL));
        assert!(ids[length..].iter().all(|id| *id == 321));
    }
    assert_eq!(ends, vec![[false, true, false, true]; 3]);
}

#[wasm_bindgen_test(unsupported = test)]
fn class_15_an_example_without_room_for_its_answer_costs_itself() {
    let tokenizer = tokenizer(&[]);
    let long = "x ".repeat(300);
    let answer = "an answer of some words";
    let pair =
        |prompt: &str| serde_json::json!({"prompt": prompt, "completion": answer}).to_string();
    let mut lines: Vec<String> = (0..9).map(|number| pair(&format!("q{number}"))).collect();
    lines.insert(4, pair(&long));
    let settings = DataSettings {
        sequence_length: 512,
        ..settings()
    };
    let dataset = |lines: &[String], settings: &DataSettings| {
        Dataset::build(
            "a.jsonl",
            lines.join("\n").into_bytes(),
            settings,
            &tokenizer,
        )
    };
    let good = dataset(&lines, &settings).unwrap();
    assert_eq!(good.train().len(), 9);
    assert_eq!(
        (good.statistics().dropped, good.statistics().truncated),
        (1, 0)
    );
    assert!(
        good.train()
            .iter()
            .all(|example| example.ids.last() == Some(&321))
    );

    let error = dataset(&vec![pair(&long); 10], &settings)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("a.jsonl: no completion fits into a sequence length of 512 tokens"),
        "{error}"
    );

    // Cut inside of the answer: what is left is learned, and no end after it.
    let longest = good.train()[0].ids.len();
    let shorter = DataSettings {
        sequence_length: longest - 2,
        ..settings
    };
    let cut = dataset(&lines[..1], &shorter).unwrap();
    assert_eq!(cut.statistics().truncated, 1);
    assert_eq!(cut.train()[0].ids, good.train()[0].ids[..longest - 2]);
    assert_ne!(cut.train()[0].ids.last(), Some(&321));
    assert!(skipped(&cut).is_empty());
}
