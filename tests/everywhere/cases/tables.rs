//! Tables with quotes.

use riemann_lora::data::Columns;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{build, case, expected, settings, skipped, tokenizer};

fn error_of(file: &str, bytes: &[u8]) -> String {
    match build(file, bytes, &tokenizer(&[])) {
        Ok(dataset) => format!(
            "{} examples, {:?}",
            dataset.train().len(),
            skipped(&dataset)
        ),
        Err(error) => error.to_string(),
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn class_13_a_quote_that_never_closes_and_a_name_that_stands_twice_are_errors() {
    let error = error_of("unclosed-last.csv", case!("13-csv/unclosed-last.csv"));
    assert!(error.starts_with("unclosed-last.csv, line 2: "), "{error}");
    assert!(error.contains("quote"), "{error}");
    let error = error_of("unclosed-first.csv", case!("13-csv/unclosed-first.csv"));
    assert!(error.starts_with("unclosed-first.csv, line 2: "), "{error}");
    assert!(error.contains("quote"), "{error}");
    let error = error_of("duplicate-header.csv", case!("13-csv/duplicate-header.csv"));
    assert!(
        error.contains("calls two columns `completion`, number 2 and number 3"),
        "{error}"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn class_13_quoted_fields_keep_their_lines_and_quotes() {
    let tokenizer = tokenizer(&[]);
    let texts = expected(case!("13-csv/expected.json"));
    let texts = texts["text-column.csv (column text)"].as_array().unwrap();
    let table = case!("13-csv/text-column.csv");
    let with_return = String::from_utf8(table.to_vec())
        .unwrap()
        .replace('\n', "\r\n");
    let ragged = [table, b"\nx,y,z\n"].concat();
    for (file, bytes, left_out) in [
        ("plain.csv", table, 0),
        ("crlf.csv", with_return.as_bytes(), 0),
        ("ragged.csv", &ragged, 1),
    ] {
        let settings = riemann_lora::data::DataSettings {
            columns: Some(Columns {
                prompt: vec!["label".to_owned()],
                completion: "text".to_owned(),
            }),
            ..settings()
        };
        let dataset =
            riemann_lora::data::Dataset::build(file, bytes, &settings, &tokenizer).unwrap();
        let found: Vec<String> = dataset
            .train()
            .iter()
            .map(|example| super::supervised(example, &tokenizer).concat())
            .collect();
        let expected: Vec<String> = texts
            .iter()
            .map(|text| format!("{}<|im_end|>", text.as_str().unwrap()))
            .collect();
        assert_eq!(found, expected, "{file}");
        let skipped = skipped(&dataset);
        assert_eq!(skipped.len(), left_out, "{file}");
        for (line, problem) in skipped {
            assert_eq!(line, 6, "{problem}");
            assert!(
                problem.contains("has 3 fields where the header has 2"),
                "{problem}"
            );
        }
    }
}
