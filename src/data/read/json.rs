//! JSON: a pair of fields, a conversation, or a document in `text`, a row each.

use serde_json::Value;
use serde_json::value::RawValue;

use super::json_rows::{Fields, JsonRow, held, rows};
use super::{Read, ReadOptions, Record, RecordAtLine, chat, meant};
use crate::data::columns::Columns;
use crate::data::error::DataError;
use crate::data::skipped::{RowError, SkippedRows};
use crate::load::{ChatMessage, quoted};

/// A record for every row. Without columns, a row's own fields say what it is.
///
/// # Errors
/// [`DataError`] of a list that is broken, or of an object that holds several lists.
pub fn read(file: &str, text: &str, options: &ReadOptions) -> Result<Read, DataError> {
    let broken = |(line, problem)| DataError {
        file: file.to_owned(),
        line: Some(line),
        problem,
    };
    let (arrangement, mut rows) = rows(text).map_err(broken)?;
    let mut arranged = arrangement.words().to_owned();
    if let [
        JsonRow {
            line,
            json: Ok(only),
        },
    ] = rows.as_slice()
        && row(only, options).is_err()
    {
        let line = *line;
        let is_rows = |(_, list): &(String, Vec<&str>)| {
            list.first()
                .is_some_and(|json| row(unwrapped(json), options).is_ok())
        };
        let lists = held(only);
        let (rows_of, others): (Vec<_>, Vec<_>) = lists.into_iter().partition(is_rows);
        // Where no list begins with a row, one alone says what is wrong with its rows.
        let mut lists = match rows_of.is_empty() {
            true => others,
            false => rows_of,
        };
        if lists.len() > 1 {
            let names: Vec<String> = lists.into_iter().map(|(name, _)| name).collect();
            let names = names.join(", ");
            let problem = format!("holds several lists ({names}); keep the one to train on");
            return Err(broken((line, problem)));
        }
        if let Some((_, inner)) = lists.pop() {
            let json = |json| JsonRow {
                line,
                json: Ok(unwrapped(json)),
            };
            rows = inner.into_iter().map(json).collect();
            "a list in a JSON object".clone_into(&mut arranged);
        }
    }
    let mut skipped = SkippedRows::default();
    let mut records = Vec::new();
    let mut columns = None;
    let mut read = 0;
    for JsonRow { line, json } in rows {
        if read == options.maximum {
            break;
        }
        let record = json
            .map_err(|problem| RowError::new(crate::data::skipped::SkipReason::Unreadable, problem))
            .and_then(|json| row(json, options));
        match record {
            Err(error) => skipped.add(file, line, error),
            Ok((record, of)) => {
                read += 1;
                columns = columns.or(of);
                let ends_document = matches!(record, Record::Text(_));
                records.push(RecordAtLine { line, record });
                if ends_document {
                    let record = Record::EndOfDocument;
                    records.push(RecordAtLine { line, record });
                }
            }
        }
    }
    Ok(Read {
        records,
        skipped,
        columns,
        separator: None,
        arranged: Some(arranged),
    })
}

/// The row itself, where a data set's server wraps it in an object with its number.
fn unwrapped(json: &str) -> &str {
    let Ok(Fields(fields)) = serde_json::from_str::<Fields<'_>>(json) else {
        return json;
    };
    let has = |name: &str| fields.iter().any(|(field, _)| field == name);
    match fields.iter().find(|(name, _)| name == "row") {
        Some((_, row)) if has("row_idx") => row.get(),
        _ => json,
    }
}

/// The record of one row, with the columns that make it where it is a pair.
fn row(json: &str, options: &ReadOptions) -> Result<(Record, Option<Columns>), RowError> {
    if json.starts_with('[') {
        let conversation = chat::read(&value(json)?, None, &options.roles)?;
        return Ok((Record::Chat(conversation), None));
    }
    let Ok(Fields(fields)) = serde_json::from_str::<Fields<'_>>(json) else {
        return Err(RowError::field(
            "is no JSON object; write one, such as {\"prompt\": \"…\", \"completion\": \"…\"}",
        ));
    };
    let row = Row(fields);
    if let Some(columns) = &options.columns {
        return Ok((row.pair(columns, None)?, Some(columns.clone())));
    }
    if let Some(name) = chat::MESSAGES.into_iter().find(|name| row.has(name)) {
        return Ok((row.chat(name, options)?, None));
    }
    if let Some(columns) = Columns::guess(row.0.iter().map(|(name, _)| name.as_str())) {
        if row.is_list(&columns.prompt[0]) || row.is_list(&columns.completion) {
            return Ok((row.chat_of_pair(&columns, options)?, Some(columns)));
        }
        row.refuse(&meant::NOWHERE)?;
        row.refuse(&meant::NO_TEXT)?;
        row.refuse(&meant::NOT_IN_PAIRS)?;
        let system = row.system()?;
        return Ok((row.pair(&columns, system)?, Some(columns)));
    }
    if row.has("text") {
        row.refuse(&meant::NOWHERE)?;
        row.refuse(&meant::NO_TEXT)?;
        row.refuse(&meant::SYSTEM)?;
        let text = row.text("text")?;
        if text.trim().is_empty() {
            return Err(RowError::field("has an empty `text`; remove the row"));
        }
        return Ok((Record::Text(text), None));
    }
    Err(RowError::field(format!(
        "has the fields {}; choose which are the prompt and the completion, or name them {}, messages, conversations or text",
        row.names(),
        Columns::known()
    )))
}

struct Row<'a>(Vec<(String, &'a RawValue)>);

impl Row<'_> {
    /// The text of a field as JSON; of two with one name the last, as everywhere.
    fn get(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().rfind(|(field, _)| field == name)?;
        Some(field.1.get()).filter(|json| *json != "null")
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn is_list(&self, name: &str) -> bool {
        self.get(name).is_some_and(|json| json.starts_with('['))
    }

    fn names(&self) -> String {
        quoted::names(self.0.iter().map(|(name, _)| name.as_str()))
    }

    /// Fields that mean something must not be passed over.
    fn refuse(&self, names: &[&str]) -> Result<(), RowError> {
        for name in names {
            if self
                .meant(name)
                .is_some_and(|json| !meant::says_nothing(json))
            {
                return Err(meant::refused(name));
            }
        }
        Ok(())
    }

    /// The text as JSON of a field that means something, whatever letters its name is written in.
    fn meant(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().rfind(|(field, _)| meant::is(field, name))?;
        Some(field.1.get())
    }

    /// What is said before everything else.
    fn system(&self) -> Result<Option<String>, RowError> {
        let fields = self.0.iter().filter(|(field, json)| {
            meant::SYSTEM.iter().any(|name| meant::is(field, name)) && json.get() != "null"
        });
        let said = fields.map(|(field, _)| self.text(field));
        meant::system(said.collect::<Result<Vec<_>, _>>()?.into_iter())
    }

    /// The text of a field; numbers and truth values as they are written.
    fn text(&self, name: &str) -> Result<String, RowError> {
        let Some(json) = self.get(name) else {
            return Err(RowError::field(format!(
                "has no field `{}`; its fields are {}",
                quoted::text(name),
                self.names()
            )));
        };
        match json.as_bytes().first() {
            Some(b'"') => serde_json::from_str(json).map_err(|error| {
                RowError::field(format!("has a `{name}` that is no text ({error})"))
            }),
            Some(b'[' | b'{') => Err(RowError::field(format!(
                "has a `{name}` that is not text; write it as a string"
            ))),
            _ => Ok(json.to_owned()),
        }
    }

    fn pair(&self, columns: &Columns, system: Option<String>) -> Result<Record, RowError> {
        let mut prompt = String::new();
        for (index, name) in columns.prompt.iter().enumerate() {
            if index > 0 && !self.has(name) {
                continue;
            }
            super::join(&mut prompt, &self.text(name)?);
        }
        let completion = self.text(&columns.completion)?;
        super::pair(system, prompt, completion, &columns.completion)
    }

    fn chat(&self, name: &str, options: &ReadOptions) -> Result<Record, RowError> {
        self.refuse(&meant::NOWHERE)?;
        self.refuse(&meant::NO_TEXT)?;
        self.refuse(&meant::NOT_IN_CHATS)?;
        let messages = value(self.get(name).unwrap_or_default())?;
        let mut conversation = chat::read(&messages, self.tools()?, &options.roles)?;
        if let Some(system) = self.system()? {
            match conversation.messages.first() {
                Some(first) if first.role == "system" && first.content == system => {}
                Some(first) if first.role == "system" => return Err(meant::two_systems()),
                _ => {
                    let message = ChatMessage::new("system", system);
                    conversation.messages.insert(0, message);
                }
            }
        }
        Ok(Record::Chat(conversation))
    }

    /// A pair whose sides are lists of messages; answers in the prompt are context.
    fn chat_of_pair(&self, columns: &Columns, options: &ReadOptions) -> Result<Record, RowError> {
        self.refuse(&meant::NOWHERE)?;
        self.refuse(&meant::NO_TEXT)?;
        self.refuse(&meant::SYSTEM)?;
        let side = |name: &str, role: &str| -> Result<Vec<Value>, RowError> {
            match self.is_list(name) {
                true => Ok(value(self.get(name).unwrap_or_default())?
                    .as_array()
                    .cloned()
                    .unwrap_or_default()),
                false => Ok(vec![
                    serde_json::json!({"role": role, "content": self.text(name)?}),
                ]),
            }
        };
        let prompt = side(&columns.prompt[0], "user")?;
        let context = prompt.len();
        let messages = [prompt, side(&columns.completion, "assistant")?].concat();
        let tools = self.tools()?;
        let mut conversation = chat::read(&Value::Array(messages), tools, &options.roles)?;
        for message in &mut conversation.messages[..context] {
            message.learned = false;
        }
        Ok(Record::Chat(conversation))
    }

    /// The functions that the assistant may call: a list, or a string with one, as tables keep it.
    fn tools(&self) -> Result<Option<Value>, RowError> {
        let Some(json) = self.get("tools") else {
            return Ok(None);
        };
        let tools = match value(json)? {
            Value::String(text) if text.trim().is_empty() => Value::Null,
            Value::String(text) => serde_json::from_str(&text).map_err(|error| {
                RowError::field(format!(
                    "has `tools` that are no JSON ({error}); write a list of functions"
                ))
            })?,
            tools => tools,
        };
        match tools {
            Value::Array(list) if list.is_empty() => Ok(None),
            Value::Null => Ok(None),
            Value::Array(_) => Ok(Some(tools)),
            _ => Err(RowError::field(
                "has `tools` that are no list; write a list of functions",
            )),
        }
    }
}

fn value(json: &str) -> Result<Value, RowError> {
    serde_json::from_str(json)
        .map_err(|error| RowError::field(format!("has a field that cannot be read ({error})")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::conversation::Conversation;
    use crate::data::detect::Format;
    use crate::data::settings::DocumentBreak;

    fn options(columns: Option<Columns>) -> ReadOptions {
        ReadOptions {
            format: Format::JsonLines,
            columns,
            documents: DocumentBreak::File,
            roles: chat::known_roles(),
            maximum: usize::MAX,
        }
    }

    fn pair(prompt: &str, completion: &str) -> Record {
        Record::Pair {
            system: None,
            prompt: prompt.into(),
            completion: completion.into(),
        }
    }

    fn record(json: &str) -> Result<Record, String> {
        row(json, &options(None))
            .map(|(record, _)| record)
            .map_err(|error| error.problem)
    }

    #[test]
    fn a_row_says_what_it_is() {
        let chat = |messages: &[(&str, &str)]| {
            let message = |(role, content): &(&str, &str)| ChatMessage::new(*role, *content);
            let messages = messages.iter().map(message).collect();
            let tools = None;
            Record::Chat(Conversation { messages, tools })
        };
        let cases = [
            (
                r#"{"prompt": " a ", "completion": "b\n"}"#,
                pair(" a ", "b\n"),
            ),
            (
                r#"{"question": "1+1?", "answer": 1e3}"#,
                pair("1+1?", "1e3"),
            ),
            (
                r#"{"question": "1+1?", "answer": 12345678901234567890123}"#,
                pair("1+1?", "12345678901234567890123"),
            ),
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
                r#"{"system": "s", "prompt": "a", "completion": "b", "weight": 1}"#,
                Record::Pair {
                    system: Some("s".into()),
                    prompt: "a".into(),
                    completion: "b".into(),
                },
            ),
            (
                r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]}"#,
                chat(&[("user", "a"), ("assistant", "b"), ("user", "c")]),
            ),
            (
                r#"{"system": "s", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}"#,
                chat(&[("system", "s"), ("user", "a"), ("assistant", "b")]),
            ),
            (
                r#"[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]"#,
                chat(&[("user", "a"), ("assistant", "b")]),
            ),
            (r#"{"text": "a\n"}"#, Record::Text("a\n".into())),
        ];
        for (json, expected) in cases {
            assert_eq!(record(json), Ok(expected), "{json}");
        }
        let chosen = options(Some(Columns::new("b", "a")));
        let json = r#"{"prompt": "x", "completion": "y", "a": "1", "b": "2", "weight": 0}"#;
        assert_eq!(row(json, &chosen).unwrap().0, pair("2", "1"));
    }

    #[test]
    fn answers_in_a_conversational_prompt_are_context() {
        let json = r#"{"prompt": [{"role": "assistant", "content": "Hi"}, {"role": "user", "content": "a"}], "completion": [{"role": "assistant", "content": "b"}]}"#;
        let Ok(Record::Chat(conversation)) = record(json) else {
            panic!("no conversation");
        };
        let learned: Vec<bool> = conversation
            .messages
            .iter()
            .map(|message| message.learned)
            .collect();
        assert_eq!(learned, [false, false, true]);
    }

    #[test]
    fn bad_rows_are_named_with_a_way_out() {
        let cases = [
            ("3", "is no JSON object"),
            ("{}", "has the fields (none); choose which"),
            (
                r#"{"prompt": "a", "reply": "b"}"#,
                "has the fields prompt, reply; choose which are",
            ),
            (
                r#"{"prompt": "a", "completion": " "}"#,
                "has an empty `completion`; nothing",
            ),
            (
                r#"{"prompt": "a", "completion": {"b": 1}}"#,
                "has a `completion` that is not text",
            ),
            (
                r#"{"prompt": "a", "completion": "b", "weight": 0}"#,
                "has the field `weight`, which is not used",
            ),
            (
                r#"{"prompt": "a", "completion": "b", "tools": [{"name": "f"}]}"#,
                "has the field `tools`, which is not used",
            ),
            (
                r#"{"Images": ["x.png"], "text": "a"}"#,
                "has the field `images`, which is not used in such rows; remove it",
            ),
            (
                r#"{"system": "a", "system_prompt": "b", "prompt": "c", "completion": "d"}"#,
                "says two different things as the system",
            ),
            (
                r#"{"messages": [{"role": "assistant", "content": "a", "loss": false}]}"#,
                "has a message 1 with the field `loss`, which is not used; only text",
            ),
            (
                r#"{"messages": [], "tools": "f(x)"}"#,
                "has `tools` that are no JSON (",
            ),
            (r#"{"messages": []}"#, "has no assistant message"),
            (r#"{"text": ""}"#, "has an empty `text`; remove the row"),
        ];
        for (json, expected) in cases {
            let problem = record(json).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
        }
        let missing = options(Some(Columns::new("p", "c")));
        let json = r#"{"prompt": "a", "completion": "b"}"#;
        assert_eq!(
            row(json, &missing).unwrap_err().problem,
            "has no field `p`; its fields are prompt, completion"
        );
    }

    #[test]
    fn one_bad_row_costs_itself_and_the_maximum_counts_good_ones() {
        let text = "{\"text\": \"a\"}\nx\n{\"text\": \"b\"}\n{\"text\": \"c\"}\n";
        let few = ReadOptions {
            maximum: 2,
            ..options(None)
        };
        let read = read("a.jsonl", text, &few).unwrap();
        let expected = [
            (1, Record::Text("a".into())),
            (1, Record::EndOfDocument),
            (3, Record::Text("b".into())),
            (3, Record::EndOfDocument),
        ];
        let expected = expected.map(|(line, record)| RecordAtLine { line, record });
        assert_eq!(read.records, expected);
        assert_eq!(read.skipped.rows(), 1);
        assert_eq!(read.skipped.first[0].line, 2);
    }

    #[test]
    fn an_object_may_hold_the_rows() {
        for text in [
            r#"{"version": 2, "data": [{"prompt": "a", "completion": "b"}]}"#,
            "{\n\"rows\": [{\"row_idx\": 0, \"row\": {\"prompt\": \"a\", \"completion\": \"b\"}}]\n}",
        ] {
            let read = read("a.json", text, &options(None)).unwrap();
            assert_eq!(read.records[0].record, pair("a", "b"), "{text}");
            assert_eq!(read.arranged.as_deref(), Some("a list in a JSON object"));
        }
        let several = r#"{"train": [{"text": "a"}], "test": [{"text": "b"}]}"#;
        let problem = read("a.json", several, &options(None)).unwrap_err().problem;
        assert_eq!(
            problem,
            "holds several lists (train, test); keep the one to train on"
        );
    }
}
