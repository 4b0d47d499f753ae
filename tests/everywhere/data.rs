//! Files to batches, through the public interface, native and in the browser.

use riemann_lora::data::{
    Batch, DataError, DataSettings, Dataset, DatasetBuilder, DocumentBreak, Format, IGNORED_LABEL,
    LossOn, PromptStyle, SkipReason, Validation, codec, encode_prompt, error,
};
use wasm_bindgen_test::wasm_bindgen_test;

// The unit tests' tokenizer; it finds `codec` and `error` in the imports above.
#[allow(dead_code, reason = "the unit tests use the rest")]
#[path = "../../src/data/toy.rs"]
mod toy;
use toy::{END, PAD, ToyCodec};

fn settings() -> DataSettings {
    DataSettings {
        validation: Validation::None,
        sequence_length: 32,
        ..DataSettings::default()
    }
}

fn build(file: &str, bytes: &[u8], settings: &DataSettings) -> Result<Dataset, DataError> {
    Dataset::build(file, bytes, settings, &ToyCodec::default())
}

fn message(file: &str, bytes: &[u8], settings: &DataSettings) -> String {
    match build(file, bytes, settings) {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Each example, with brackets around the tokens that count.
fn shown(dataset: &Dataset) -> Vec<String> {
    let examples = dataset.train().iter();
    examples
        .map(|example| ToyCodec::shown(&example.ids, &example.counts))
        .collect()
}

/// `count` pairs whose prompts are all different.
fn numbered(count: usize) -> Vec<u8> {
    let lines: Vec<String> = (0..count).map(|line| format!("p{line}||c{line}")).collect();
    lines.join("\n").into_bytes()
}

#[wasm_bindgen_test(unsupported = test)]
fn every_format_gives_the_same_examples() {
    let files: [(&str, &[u8], Format); 5] = [
        ("a.txt", b"ab||cd\r\ne||f\r\n", Format::Pairs),
        (
            "a.jsonl",
            b"\xef\xbb\xbf{\"prompt\": \"ab\", \"completion\": \"cd\"}\n\n{\"question\": \"e\", \"answer\": \"f\"}",
            Format::JsonLines,
        ),
        ("a.csv", b"completion,prompt\r\ncd,ab\r\n\"f\",\"e\"\r\n", Format::Table),
        ("a.tsv", b"Input\tOutput\nab\tcd\ne\tf\n", Format::Table),
        ("a", b"{\"prompt\": \"ab\", \"completion\": \"cd\"}\n{\"prompt\": \"e\", \"completion\": \"f\"}\n", Format::JsonLines),
    ];
    for (file, bytes, format) in files {
        let dataset = build(file, bytes, &settings()).unwrap();
        assert_eq!(dataset.detected().format, format, "{file}");
        assert_eq!(
            shown(&dataset),
            ["ab\\n[cd<end>]", "e\\n[f<end>]"],
            "{file}"
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn loss_is_on_completions_or_on_all() {
    let all = DataSettings {
        loss_on: LossOn::All,
        ..settings()
    };
    assert_eq!(
        shown(&build("a.txt", b"ab||cd", &all).unwrap()),
        ["a[b\\ncd<end>]"]
    );
    let chat = DataSettings {
        prompt_style: PromptStyle::Chat,
        ..settings()
    };
    let dataset = build("a.txt", b"ab||cd", &chat).unwrap();
    assert_eq!(shown(&dataset), ["u:ab<end>\\na:[cd<end>]\\n"]);
    let example = &dataset.train()[0];
    let prompt = encode_prompt("ab", PromptStyle::Chat, "\n", &ToyCodec::default()).unwrap();
    assert_eq!(example.ids[..example.prompt_tokens], prompt);
}

#[wasm_bindgen_test(unsupported = test)]
fn all_answers_of_a_conversation_are_learned() {
    let line = br#"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "yes"}, {"role": "user", "content": "r"}, {"role": "assistant", "content": "no"}, {"role": "user", "content": "x"}]}"#;
    let dataset = build("a.jsonl", line, &settings()).unwrap();
    assert_eq!(
        shown(&dataset),
        ["u:q<end>\\na:[yes<end>]\\nu:r<end>\\na:[no<end>]\\n"]
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn a_batch_holds_what_the_model_takes() {
    let dataset = build("a.txt", b"ab||cd", &settings()).unwrap();
    let batch = dataset.train_batches(2).unwrap().batch(0);
    let (end, pad, ignored) = (END as i32, PAD as i32, IGNORED_LABEL);
    let row = [97, 98, 10, 99, 100, end, pad, pad];
    let labels = [ignored, ignored, ignored, 99, 100, end, ignored, ignored];
    assert_eq!(
        batch,
        Batch {
            rows: 2,
            tokens: 8,
            ids: [row, row].concat(),
            labels: [labels, labels].concat()
        }
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn a_resumed_session_sees_the_same_batches() {
    let dataset = build("a.txt", &numbered(23), &settings()).unwrap();
    let mut batches = dataset.train_batches(4).unwrap();
    let sequential: Vec<Batch> = (0..20).map(|step| batches.batch(step)).collect();
    for step in [19, 7, 0, 12, 5] {
        let mut resumed = build("a.txt", &numbered(23), &settings())
            .unwrap()
            .train_batches(4)
            .unwrap();
        assert_eq!(resumed.batch(step), sequential[step as usize]);
    }
    let other_seed = DataSettings {
        seed: 1,
        ..settings()
    };
    let other = build("a.txt", &numbered(23), &other_seed).unwrap();
    assert_ne!(other.train_batches(4).unwrap().batch(0), sequential[0]);
}

#[wasm_bindgen_test(unsupported = test)]
fn validation_is_apart_from_training_and_in_order() {
    let settings = DataSettings {
        validation: Validation::Count(5),
        ..settings()
    };
    let dataset = build("a.txt", &numbered(20), &settings).unwrap();
    assert_eq!((dataset.train().len(), dataset.validation().len()), (15, 5));
    assert!(
        dataset
            .validation()
            .iter()
            .all(|example| !dataset.train().contains(example))
    );
    assert!(dataset.statistics().prompts_kept_apart);

    let batches = |examples, rows| -> Vec<Batch> {
        dataset
            .validation_batches(examples, rows)
            .unwrap()
            .collect()
    };
    let rows: Vec<usize> = batches(usize::MAX, 2)
        .iter()
        .map(|batch| batch.rows)
        .collect();
    assert_eq!(rows, [2, 2, 1]);
    assert_eq!(batches(3, 2)[0], batches(usize::MAX, 2)[0]);
    assert_eq!(batches(3, 2)[1].rows, 1);
    assert!(batches(0, 2).is_empty());
    let first = &dataset.validation()[0].ids;
    let ids: Vec<i32> = first.iter().map(|id| *id as i32).collect();
    assert_eq!(batches(1, 8)[0].ids[..ids.len()], ids);
    assert!(dataset.validation_batches(1, 0).is_err());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_prompt_with_many_completions_stays_on_one_side() {
    let lines: Vec<String> = (0..60)
        .map(|line| format!("p{}||c{line}", line % 12))
        .collect();
    let settings = DataSettings {
        validation: Validation::Share(0.25),
        ..settings()
    };
    let dataset = build("a.txt", lines.join("\n").as_bytes(), &settings).unwrap();
    assert_eq!(dataset.validation().len(), 15);
    for example in dataset.validation() {
        let prompt = &example.ids[..example.prompt_tokens];
        assert!(
            dataset
                .train()
                .iter()
                .all(|other| !other.ids.starts_with(prompt))
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_separate_file_validates() {
    let settings = DataSettings {
        validation: Validation::Share(0.5),
        ..settings()
    };
    let codec = ToyCodec::default();
    let mut builder = DatasetBuilder::new("a.txt", numbered(10), &settings)
        .unwrap()
        .with_validation("b.csv", b"prompt,completion\nq,d\n".as_slice())
        .unwrap();
    let mut done = Vec::new();
    while !builder.progress().is_finished() {
        done.push(builder.next_chunk(&codec, 4).done);
    }
    assert_eq!(done, [4, 8, 11]);
    assert_eq!(builder.progress().total, 11);
    let dataset = builder.finish(&codec).unwrap();
    assert_eq!((dataset.train().len(), dataset.validation().len()), (10, 1));
    assert_eq!(dataset.validation()[0].ids, [113, 10, 100, END]);
}

#[wasm_bindgen_test(unsupported = test)]
fn halves_of_the_validation_share_no_prompt() {
    let pair = |number: usize| format!("{},{number}\n", number / 3);
    let validation = (0..30).map(pair).collect::<String>();
    let dataset = DatasetBuilder::new("a.txt", numbered(10), &settings())
        .unwrap()
        .with_validation("b.csv", format!("prompt,completion\n{validation}"))
        .unwrap()
        .finish(&ToyCodec::default())
        .unwrap();
    let halves = dataset.validation_halves().unwrap();
    let prompts = halves.each_ref().map(|half| -> Vec<&[u32]> {
        let examples = half.validation().iter();
        examples
            .map(|example| &example.ids[..example.prompt_tokens])
            .collect()
    });
    assert_eq!(prompts.each_ref().map(Vec::len), [15, 15]);
    assert!(prompts[0].iter().all(|prompt| !prompts[1].contains(prompt)));
    assert_eq!(halves[0].train(), dataset.train());

    let windows = build(
        "c.txt",
        &[b'x'; 400],
        &DataSettings {
            validation: Validation::Count(5),
            ..settings()
        },
    );
    let halves = windows.unwrap().validation_halves().unwrap();
    assert_eq!(
        halves.each_ref().map(|half| half.validation().len()),
        [2, 3]
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn slices_and_one_go_give_the_same() {
    let text = "To be, or not to be.\n\n".repeat(4000);
    let settings = DataSettings {
        validation: Validation::Share(0.1),
        ..settings()
    };
    let codec = ToyCodec::default();
    let whole = Dataset::build("a.txt", text.as_bytes(), &settings, &codec).unwrap();
    let mut builder = DatasetBuilder::new("a.txt", text.as_bytes(), &settings).unwrap();
    while !builder.next_chunk(&codec, 1).is_finished() {}
    let sliced = builder.finish(&codec).unwrap();
    assert_eq!(whole.train(), sliced.train());
    assert_eq!(whole.validation(), sliced.validation());
    assert_eq!(whole.statistics(), sliced.statistics());
}

#[wasm_bindgen_test(unsupported = test)]
fn a_row_that_is_too_large_for_one_piece_costs_itself_and_a_document_does_not() {
    let most = 1 << 20;
    let answer = |bytes| {
        format!(
            r#"{{"prompt": "p", "completion": "{}"}}"#,
            "x".repeat(bytes)
        )
    };
    let chat = serde_json::json!({"messages": [
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a", "tool_calls": [{"name": "x".repeat(most)}]},
    ]});
    let rows = format!("{}\n{}\n{chat}\n", answer(most - 1), answer(most));
    let dataset = build("a.jsonl", rows.as_bytes(), &settings()).unwrap();
    assert_eq!(dataset.train().len(), 1);
    assert_eq!(dataset.statistics().longest, most + 2);
    let skipped = &dataset.statistics().skipped;
    assert_eq!(skipped.counts[0].reason, SkipReason::TooLarge);
    assert_eq!(skipped.first[0].line, 2);
    assert_eq!(
        skipped.first[0].problem,
        "has 1.0 MB of text, and a pair or a conversation may have 1.0 MB; divide it into several, or train on it as a \
         document, in a field `text`"
    );
    assert_eq!(skipped.counts[0].rows, 2);
    let document = format!(r#"{{"text": "{}"}}"#, "x ".repeat(3 << 19));
    let codec = ToyCodec::default();
    let mut builder = DatasetBuilder::new("a.jsonl", document, &settings()).unwrap();
    assert_eq!(builder.next_chunk(&codec, 1).total, 97);
}

#[wasm_bindgen_test(unsupported = test)]
fn packing_loses_no_token() {
    let text: String = (0..5000).map(|number| format!("{number}\n")).collect();
    let dataset = build("a.txt", text.as_bytes(), &settings()).unwrap();
    let ids: Vec<u32> = dataset
        .train()
        .iter()
        .flat_map(|window| window.ids.clone())
        .collect();
    assert_eq!(ids, text.bytes().map(u32::from).collect::<Vec<_>>());
    let windows = text.len().div_ceil(32);
    let statistics = dataset.statistics();
    assert_eq!(statistics.train_examples, windows);
    assert_eq!(statistics.train_tokens, text.len());
    assert_eq!(statistics.train_counted_tokens, text.len() - windows);
    assert_eq!(
        (statistics.longest, statistics.truncated, statistics.dropped),
        (32, 0, 0)
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn documents_have_an_end_between_them() {
    let settings = DataSettings {
        documents: DocumentBreak::BlankLine,
        ..settings()
    };
    let dataset = build("a.txt", b"\nab\n\n\ncd\nef", &settings).unwrap();
    assert_eq!(shown(&dataset), ["a[b\\n<end>]", "c[d\\nef]"]);
    let lines = b"{\"text\": \"ab\"}\n{\"text\": \"cd\"}\n";
    assert_eq!(
        shown(&build("a.jsonl", lines, &settings).unwrap()),
        ["a[b<end>]", "c[d]"]
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_too_long_is_cut_and_counted() {
    let settings = DataSettings {
        sequence_length: 6,
        ..settings()
    };
    // With the separator and the end, 5, 6, 7, 8, 7 and 6 tokens; the last two have no room for a completion.
    let lines = b"a||bc\nab||cd\nabc||de\nab||cdef\nabcdef||\xe2\x82\xac\nabcde||f";
    let dataset = build("a.txt", lines, &settings).unwrap();
    assert_eq!(
        shown(&dataset),
        [
            "a\\n[bc<end>]",
            "ab\\n[cd<end>]",
            "abc\\n[de]",
            "ab\\n[cde]"
        ]
    );
    let statistics = dataset.statistics();
    assert_eq!(
        (statistics.truncated, statistics.dropped, statistics.longest),
        (2, 2, 11)
    );
    assert_eq!(
        (statistics.train_tokens, statistics.train_counted_tokens),
        (23, 11)
    );
    assert_eq!(statistics.lengths.width, 1);
    assert_eq!(statistics.lengths.examples, [0, 0, 0, 0, 1, 1, 4]);
}

#[wasm_bindgen_test(unsupported = test)]
fn no_more_examples_than_asked_for() {
    let settings = DataSettings {
        maximum_examples: Some(3),
        ..settings()
    };
    for (file, bytes) in [
        ("a.txt", numbered(10)),
        ("b.txt", b"To be, or not to be.\n".repeat(8000)),
        ("c.csv", b"prompt,completion\na,b\na,c\na,d\na,e\n".to_vec()),
        ("d.jsonl", b"{\"text\": \"0123456789\"}\n".repeat(99)),
    ] {
        let mut builder = DatasetBuilder::new(file, bytes, &settings).unwrap();
        let codec = ToyCodec::default();
        while !builder.next_chunk(&codec, 1).is_finished() {}
        assert!(builder.finish(&codec).unwrap().train().len() <= 3, "{file}");
    }
    let dataset = build("b.txt", &b"0123456789abcde\n".repeat(8000), &settings).unwrap();
    assert_eq!(
        shown(&dataset),
        ["0[123456789abcde\\n0123456789abcde\\n]"; 3]
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn bad_files_say_what_would_work() {
    let short = DataSettings {
        sequence_length: 4,
        ..settings()
    };
    let split = DataSettings {
        validation: Validation::Count(2),
        ..settings()
    };
    let chosen = DataSettings {
        format: Some(Format::Pairs),
        ..settings()
    };
    let no_length = DataSettings {
        sequence_length: 0,
        ..settings()
    };
    let cases: [(&str, &[u8], &DataSettings, &str); 10] = [
        (
            "a.txt",
            b"",
            &short,
            "a.txt: is empty; choose a file with some text in it",
        ),
        (
            "a.txt",
            b"a",
            &short,
            "a.txt: has fewer than two tokens, and nothing can be predicted from less; use a longer text",
        ),
        (
            "a.txt",
            b"\x00\x01\xff",
            &short,
            "a.txt, line 1: is not UTF-8 text (byte 0xff)",
        ),
        (
            "a.txt",
            b"a\nb\n",
            &chosen,
            "a.txt, line 1: has no ||; write prompt||completion",
        ),
        (
            "a.txt",
            b"abcd||e\nabc||f",
            &short,
            "a.txt: no completion fits into a sequence length of 4 tokens, the shortest prompt has 4; choose",
        ),
        (
            "a.txt",
            b"a||b\nc||d",
            &split,
            "a.txt: has 2 examples, of which 2 would be kept for validation and none is left",
        ),
        (
            "a.txt",
            b"\n\nc||<refused>",
            &short,
            "a.txt, line 3: the tokenizer refuses this",
        ),
        (
            "a.txt",
            b"a||b",
            &no_length,
            "a sequence length of 0 tokens cannot be trained",
        ),
        (
            "notes.jsonl",
            b"\n\n{\"prompt\": 1}\n{",
            &short,
            "notes.jsonl, line 3: has the fields prompt; choose",
        ),
        (
            "a.csv",
            b"prompt,completion\n\na,b,c\n",
            &short,
            "a.csv, line 3: has 3 fields where the header has 2",
        ),
    ];
    for (file, bytes, settings, expected) in cases {
        let message = message(file, bytes, settings);
        assert!(message.starts_with(expected), "{message}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn the_example_data_can_be_trained_on() {
    let bytes = include_bytes!("../../www/public/data/wordnet-definitions.txt");
    let settings = DataSettings {
        sequence_length: 256,
        validation: Validation::Count(400),
        ..DataSettings::default()
    };
    let dataset = build("wordnet-definitions.txt", bytes, &settings).unwrap();
    assert_eq!(dataset.detected().format, Format::Pairs);
    let statistics = dataset.statistics();
    assert_eq!(
        (statistics.train_examples, statistics.validation_examples),
        (3200, 400)
    );
    assert_eq!((statistics.truncated, statistics.dropped), (0, 0));
    // A pair of bars becomes the separator and the end, and its line end is not learned: as many tokens as bytes, less one a line.
    assert_eq!(
        statistics.train_tokens + statistics.validation_tokens,
        bytes.len() - 3600
    );
}
