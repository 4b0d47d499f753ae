//! A JSON object a line: a pair of fields, a conversation in `messages`, or a document in `text`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::bad_lines::BadLines;
use super::{Record, RecordAtLine};
use crate::data::columns::Columns;
use crate::data::error::DataError;
use crate::load::ChatMessage;

/// A record for every line that is not blank. Without `columns`, a line's own fields say what it is.
///
/// # Errors
/// [`DataError`] about the first line that is no JSON object or lacks a field, or if there are no lines.
pub fn read(
    file: &str,
    text: &str,
    columns: Option<&Columns>,
    maximum: usize,
) -> Result<Vec<RecordAtLine>, DataError> {
    if text.trim_start().starts_with('[') {
        return Err(DataError::in_file(
            file,
            "is one JSON list; write an object on each line instead, for example with jq -c '.[]'",
        ));
    }
    let mut bad_lines = BadLines::default();
    let mut records = Vec::new();
    let mut read = 0;
    for (index, content) in text.lines().enumerate() {
        if content.trim().is_empty() {
            continue;
        }
        if read == maximum {
            break;
        }
        let line = index + 1;
        match parse(content, columns) {
            Err(problem) => bad_lines.add(line, problem),
            Ok(record) => {
                read += 1;
                let ends_document = matches!(record, Record::Text(_));
                records.push(RecordAtLine { line, record });
                if ends_document {
                    let record = Record::EndOfDocument;
                    records.push(RecordAtLine { line, record });
                }
            }
        }
    }
    bad_lines.check(file, records, "write a JSON object on each line")
}

/// The record of one line, or what is wrong with it.
fn parse(content: &str, columns: Option<&Columns>) -> Result<Record, String> {
    let object: Map<String, Value> = serde_json::from_str(content).map_err(|error| {
        format!("is not a JSON object ({error}); write one object on each line, such as {{\"prompt\": \"…\", \"completion\": \"…\"}}")
    })?;
    if let Some(columns) = columns {
        return pair(&object, columns);
    }
    if let Some(messages) = object.get("messages") {
        return chat(messages);
    }
    if let Some(columns) = Columns::guess(object.keys().map(String::as_str)) {
        return pair(&object, &columns);
    }
    if object.contains_key("text") {
        let text = field(&object, "text")?;
        if text.is_empty() {
            return Err("has an empty `text`; remove the line".to_owned());
        }
        return Ok(Record::Text(text));
    }
    Err(format!(
        "has the fields {}; choose which are the prompt and the completion, or name them {}, messages or text",
        names(&object),
        Columns::known()
    ))
}

fn pair(object: &Map<String, Value>, columns: &Columns) -> Result<Record, String> {
    let mut prompt = String::new();
    for (index, name) in columns.prompt.iter().enumerate() {
        if index > 0 && object.get(name).is_none_or(Value::is_null) {
            continue;
        }
        super::table::join(&mut prompt, &field(object, name)?);
    }
    let completion = field(object, &columns.completion)?.trim().to_owned();
    if completion.is_empty() {
        return Err(format!(
            "has an empty `{}`; write a completion or remove the line",
            columns.completion
        ));
    }
    Ok(Record::Pair { prompt, completion })
}

/// The text of a field; numbers and truth values are written out.
fn field(object: &Map<String, Value>, name: &str) -> Result<String, String> {
    match object.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        Some(_) => Err(format!(
            "has a `{name}` that is not text; write it as a string"
        )),
        None => Err(format!(
            "has no field `{name}`; its fields are {}",
            names(object)
        )),
    }
}

fn chat(messages: &Value) -> Result<Record, String> {
    let mut messages = Vec::<ChatMessage>::deserialize(messages).map_err(|error| {
        format!("has `messages` of another form ({error}); write a list of objects with `role` and `content`, both text")
    })?;
    let Some(last) = messages.iter().rposition(ChatMessage::is_assistant) else {
        return Err(
            "has no message with the role assistant; there is nothing to learn from it".to_owned(),
        );
    };
    // What is said after the last answer has no label and would only cost time.
    messages.truncate(last + 1);
    Ok(Record::Chat(messages))
}

fn names(object: &Map<String, Value>) -> String {
    if object.is_empty() {
        return "(none)".to_owned();
    }
    let names: Vec<&str> = object.keys().map(String::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(prompt: &str, completion: &str) -> Record {
        Record::Pair {
            prompt: prompt.into(),
            completion: completion.into(),
        }
    }

    #[test]
    fn a_line_says_what_it_is() {
        let cases = [
            (r#"{"prompt": " a ", "completion": "b\n"}"#, pair("a", "b")),
            (r#"{"question": "1+1?", "answer": 2}"#, pair("1+1?", "2")),
            (
                r#"{"instruction": "Add", "input": "1 2", "output": "3"}"#,
                pair("Add\n1 2", "3"),
            ),
            (
                r#"{"instruction": "Add", "input": "", "output": "3"}"#,
                pair("Add", "3"),
            ),
            (
                r#"{"instruction": "Add", "input": null, "output": "3"}"#,
                pair("Add", "3"),
            ),
            (
                r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]}"#,
                Record::Chat(vec![
                    ChatMessage::new("user", "a"),
                    ChatMessage::new("assistant", "b"),
                ]),
            ),
            (r#"{"text": "a\n"}"#, Record::Text("a\n".into())),
        ];
        for (content, expected) in cases {
            assert_eq!(parse(content, None), Ok(expected), "{content}");
        }
        let chosen = Columns::new("b", "a");
        assert_eq!(
            parse(
                r#"{"prompt": "x", "completion": "y", "a": "1", "b": "2"}"#,
                Some(&chosen)
            ),
            Ok(pair("2", "1"))
        );
    }

    #[test]
    fn bad_lines_are_named_with_a_way_out() {
        let good = r#"{"prompt": "a", "completion": "b"}"#;
        let cases = [
            (
                "{\"prompt\": ",
                "a.jsonl, line 3: is not a JSON object (EOF while parsing a value at line 1 column 11)",
            ),
            (
                "3",
                "a.jsonl, line 3: is not a JSON object (invalid type: integer `3`, expected a map",
            ),
            ("{}", "a.jsonl, line 3: has the fields (none); choose which"),
            (
                r#"{"prompt": "a", "reply": "b"}"#,
                "a.jsonl, line 3: has the fields prompt, reply; choose which are",
            ),
            (
                r#"{"prompt": "a", "completion": " "}"#,
                "a.jsonl, line 3: has an empty `completion`; write",
            ),
            (
                r#"{"prompt": "a", "completion": ["b"]}"#,
                "a.jsonl, line 3: has a `completion` that is not text",
            ),
            (
                r#"{"messages": []}"#,
                "a.jsonl, line 3: has no message with the role assistant",
            ),
            (
                r#"{"messages": [{"role": "assistant", "content": ["b"]}]}"#,
                "a.jsonl, line 3: has `messages` of another form",
            ),
            (
                r#"{"text": ""}"#,
                "a.jsonl, line 3: has an empty `text`; remove the line",
            ),
        ];
        for (bad, expected) in cases {
            let text = format!("{good}\n\n{bad}\n{good}\n");
            let message = read("a.jsonl", &text, None, usize::MAX)
                .unwrap_err()
                .to_string();
            assert!(message.starts_with(expected), "{message}");
        }
        let message = read("a.jsonl", "x\ny\nz\n", None, usize::MAX)
            .unwrap_err()
            .to_string();
        assert!(message.ends_with("(and 2 more bad lines)"), "{message}");
        let message = read("a.json", " [{}]", None, usize::MAX)
            .unwrap_err()
            .to_string();
        assert!(message.starts_with("a.json: is one JSON list"), "{message}");
        let missing = Columns::new("p", "c");
        let message = read("a.jsonl", good, Some(&missing), usize::MAX)
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "a.jsonl, line 1: has no field `p`; its fields are completion, prompt"
        );
    }

    #[test]
    fn documents_end_and_the_maximum_counts_lines() {
        let text = "{\"text\": \"a\"}\n{\"text\": \"b\"}\n{\"text\": \"c\"}\n";
        let records = read("a.jsonl", text, None, 2);
        let expected = [
            (1, Record::Text("a".into())),
            (1, Record::EndOfDocument),
            (2, Record::Text("b".into())),
            (2, Record::EndOfDocument),
        ];
        assert_eq!(
            records,
            Ok(expected
                .map(|(line, record)| RecordAtLine { line, record })
                .to_vec())
        );
    }
}
