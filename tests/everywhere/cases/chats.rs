//! Conversations: who may speak when, and which answers teach something.

use riemann_lora::data::SkipReason;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{assert_example, assert_examples, build, case, expected, skipped, tokenizer};

#[wasm_bindgen_test(unsupported = test)]
fn class_05_rows_without_an_answer_cost_themselves() {
    let tokenizer = tokenizer(&[]);
    let expected = expected(case!("05-rows-without-answer/expected.json"));
    let rows = case!("05-rows-without-answer/rows.jsonl");
    let dataset = build("rows.jsonl", rows, &tokenizer).unwrap();
    assert_examples(&dataset, &expected["examples"], &tokenizer, "rows.jsonl");
    // One letter and the end of the turn.
    assert!(dataset.train().iter().all(|example| example.counted() == 2));
    assert_eq!(
        skipped(&dataset),
        [(
            2,
            "has no assistant message (only user); there is nothing to learn from it"
        )]
    );

    let line = rows
        .split(|byte| *byte == b'\n')
        .nth(1)
        .expect("it has three");
    let error = build("rows.jsonl", &[line, line].join(&b'\n'), &tokenizer).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("rows.jsonl, line 1: has no assistant message"),
        "{error}"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn class_07_a_row_that_the_template_refuses_costs_itself() {
    let expected = expected(case!("07-alternation/expected.json"));
    let alternating = tokenizer(&[(
        "tokenizer_config.json",
        case!("07-alternation/tokenizer_config.json"),
    )]);
    let dataset = build(
        "rows.jsonl",
        case!("07-alternation/rows.jsonl"),
        &alternating,
    )
    .unwrap();
    let rows = &expected["rows.jsonl"];
    assert_examples(&dataset, &rows["examples"], &alternating, "rows.jsonl");
    let found = skipped(&dataset);
    for ((line, problem), expected) in found.iter().zip(rows["skipped"].as_array().unwrap()) {
        assert_eq!(Some(*line as u64), expected["line"].as_u64());
        let told = expected["reason"]
            .as_str()
            .unwrap()
            .rsplit(": ")
            .next()
            .unwrap();
        assert!(problem.contains(told), "{problem}");
    }
    let counts = &dataset.statistics().skipped.counts;
    let count = |reason| {
        counts
            .iter()
            .find(|count| count.reason == reason)
            .map(|count| count.rows)
    };
    assert_eq!(
        (count(SkipReason::Template), count(SkipReason::NoAnswer)),
        (Some(2), Some(1))
    );

    let with_default = tokenizer(&[(
        "tokenizer_config.json",
        case!("07-alternation/default-system/tokenizer_config.json"),
    )]);
    let leading_rows = case!("07-alternation/default-system/leading.jsonl");
    let dataset = build("leading.jsonl", leading_rows, &with_default).unwrap();
    let leading = &expected["default-system/leading.jsonl"];
    assert_examples(&dataset, leading, &with_default, "leading.jsonl");
    // Nobody wrote it, so it is shown.
    let added = dataset.added_by_template().unwrap().to_owned();
    assert!(added.starts_with("<|im_start|>system\n"), "{added}");
    assert!(added.ends_with("<|im_end|>"), "{added}");
    let told = br#"{"messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]}"#;
    let dataset = build("told.jsonl", told, &with_default).unwrap();
    assert_eq!(dataset.added_by_template(), None);
    let both = [&told[..], leading_rows].join(&b'\n');
    let dataset = build("both.jsonl", &both, &with_default).unwrap();
    assert_eq!(dataset.added_by_template(), Some(&*added));
    let asked = br#"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]}"#;
    let dataset = build("asked.jsonl", asked, &tokenizer(&[])).unwrap();
    assert_eq!(dataset.added_by_template(), None);
}

#[wasm_bindgen_test(unsupported = test)]
fn class_09_nothing_is_learned_from_an_empty_answer_and_calls_are_written() {
    let expected = expected(case!("09-empty-answers/expected.json"));
    let calling = tokenizer(&[(
        "tokenizer_config.json",
        case!("09-empty-answers/tokenizer_config.json"),
    )]);
    let answers = case!("09-empty-answers/answers.jsonl");
    let dataset = build("answers.jsonl", answers, &calling).unwrap();
    let lines = &expected["answers.jsonl"];
    let names = ["line 1", "lines 6 and 7", "lines 6 and 7", "line 8"];
    assert_eq!(dataset.train().len(), names.len());
    for (example, name) in dataset.train().iter().zip(names) {
        assert_example(example, &lines[name], &calling, name);
    }
    assert_eq!(dataset.statistics().skipped.rows(), 4);
    let empty = "has an empty answer (message 2); nothing is learned from it";
    assert_eq!(skipped(&dataset), [(2, empty), (3, empty), (4, empty)]);

    // Without a template that knows calls, the rows are refused by the name of the field.
    let plain = tokenizer(&[]);
    let dataset = build("answers.jsonl", answers, &plain).unwrap();
    assert_eq!(
        (dataset.train().len(), dataset.statistics().skipped.rows()),
        (1, 7)
    );
    let error = build(
        "tools.jsonl",
        case!("09-empty-answers/tools.jsonl"),
        &calling,
    );
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("tools.jsonl, line 1: has 1 `tools`, which"),
        "{error}"
    );

    let dataset = build(
        "weights.jsonl",
        case!("09-empty-answers/weights.jsonl"),
        &calling,
    )
    .unwrap();
    let texts = super::supervised(&dataset.train()[0], &calling);
    assert_eq!(texts, ["d<|im_end|>"]);
}
