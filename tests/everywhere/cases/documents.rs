//! Marks and line ends that are no part of a text.

use wasm_bindgen_test::wasm_bindgen_test;

use super::{build, case, checkpoint, expected, numbers, tokenizer};

#[wasm_bindgen_test(unsupported = test)]
fn class_11_marks_and_line_ends_do_not_reach_the_template() {
    let expected = expected(case!("11-bom-crlf/expected.json"));
    let right = &expected["chat templates, for [user \"Hi\"]"];
    let base = tokenizer(&[]);
    for (file, bytes) in [
        ("bom", case!("11-bom-crlf/bom-chat_template.jinja")),
        ("crlf", case!("11-bom-crlf/crlf-chat_template.jinja")),
    ] {
        let tokenizer = tokenizer(&[("chat_template.jinja", bytes)]);
        let messages = [riemann_lora::load::ChatMessage::new("user", "Hi")];
        let text = tokenizer.render_chat(&messages, None, false).unwrap();
        assert_eq!(Some(text.as_str()), right["text"].as_str(), "{file}");
        let ids = tokenizer.encode(&text).unwrap();
        let ids: Vec<i64> = ids.into_iter().map(i64::from).collect();
        assert_eq!(ids, numbers(&right["ids"]), "{file}");
    }

    let with_mark = [b"\xef\xbb\xbf", case!("_base/tokenizer.json")].concat();
    for (name, bytes) in [
        ("config.json", case!("11-bom-crlf/bom-config.json")),
        (
            "tokenizer_config.json",
            case!("11-bom-crlf/bom-tokenizer_config.json"),
        ),
        ("tokenizer.json", &with_mark),
    ] {
        let opened = pollster::block_on(checkpoint(&[(name, bytes)]));
        let opened = opened.unwrap_or_else(|error| panic!("{name}: {error}"));
        let tokenizer = opened.tokenizer();
        assert_eq!(tokenizer.eos_ids(), base.eos_ids(), "{name}");
        assert_eq!(tokenizer.chat_template(), base.chat_template(), "{name}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn class_11_data_with_a_mark_and_line_ends_of_windows_is_read() {
    let tokenizer = tokenizer(&[]);
    let expected = expected(case!("11-bom-crlf/expected.json"));
    let documents = expected["text.csv"]["documents"].as_array().unwrap();
    let texts = |file: &str, bytes: &[u8]| -> Vec<String> {
        let dataset = build(file, bytes, &tokenizer).unwrap_or_else(|error| panic!("{error}"));
        let examples = dataset.train().iter();
        examples
            .map(|example| tokenizer.decode(&example.ids, true))
            .collect()
    };
    assert_eq!(
        texts("text.csv", case!("11-bom-crlf/text.csv")),
        [
            documents[0].as_str().unwrap(),
            documents[1].as_str().unwrap()
        ]
    );
    let mark = "\u{feff}";
    let json = format!("{mark}{{\"text\":\"ab\"}}\r\n{{\"text\":\"bc\"}}\r\n");
    assert_eq!(texts("a.jsonl", json.as_bytes()), ["ab", "bc"]);
    let table = format!("{mark}text\r\nab\r\n\"b\r\nc\"\r\n");
    assert_eq!(texts("a.csv", table.as_bytes()), ["ab", "b\nc"]);
    let plain = format!("{mark}ab\r\nbc\r\n");
    assert_eq!(texts("a.txt", plain.as_bytes()), ["ab\nbc\n"]);
}
