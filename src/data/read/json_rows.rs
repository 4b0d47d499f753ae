//! Where the rows of a JSON file are: an object a line, objects one after another, a list, or an object that holds the list.

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::chat::MESSAGES;

/// One row of a file: its JSON text, or what is wrong with it.
pub(super) struct JsonRow<'a> {
    /// Line where it begins, counted from 1.
    pub line: usize,
    /// Its text.
    pub json: Result<&'a str, String>,
}

/// How the rows of a file are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrangement {
    /// A value on each line; a line that is none costs itself.
    Lines,
    /// Values over several lines, one after another.
    Stream,
    /// One list.
    List,
}

impl Arrangement {
    /// In words, for the user.
    pub fn words(self) -> &'static str {
        match self {
            Self::Lines => "a JSON value on each line",
            Self::Stream => "JSON values one after another",
            Self::List => "one JSON list",
        }
    }
}

/// The rows of `text`.
///
/// # Errors
/// The line and the problem of a list in which no row can be read.
pub(super) fn rows(text: &str) -> Result<(Arrangement, Vec<JsonRow<'_>>), (usize, String)> {
    let mut lines = Lines::new(text);
    if is_list(text) {
        return match list(text, &mut lines) {
            Ok(rows) => Ok((Arrangement::List, rows)),
            // A list on each line is a conversation a line.
            Err(_) if first_line_is_whole(text) => Ok((Arrangement::Lines, by_line(text))),
            Err(problem) => {
                let rows = broken_list(text, &mut lines);
                let some = rows.iter().any(|row| row.json.is_ok());
                some.then_some((Arrangement::List, rows)).ok_or(problem)
            }
        };
    }
    if first_line_is_whole(text) {
        return Ok((Arrangement::Lines, by_line(text)));
    }
    let rows = stream(text, &mut lines);
    match rows.first() {
        Some(JsonRow { json: Ok(_), .. }) => Ok((Arrangement::Stream, rows)),
        _ => Ok((Arrangement::Lines, by_line(text))),
    }
}

fn is_list(text: &str) -> bool {
    text.trim_start().starts_with('[')
}

fn first_line_is_whole(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty());
    first.is_some_and(|line| serde_json::from_str::<&RawValue>(line).is_ok())
}

/// Values of a line; several without a line end between them are several rows.
fn by_line(text: &str) -> Vec<JsonRow<'_>> {
    let mut rows = Vec::new();
    // Only `\n`: JSON has other line ends, such as U+2028, inside of strings.
    for (index, content) in text.split('\n').enumerate() {
        let line = index + 1;
        if content.trim().is_empty() {
            continue;
        }
        let values = serde_json::Deserializer::from_str(content).into_iter::<&RawValue>();
        for value in values {
            let broken = value.is_err();
            let json = value.map(RawValue::get).map_err(|error| not_json(&error));
            rows.push(JsonRow { line, json });
            if broken {
                break;
            }
        }
    }
    rows
}

/// Values that may go over several lines. After one that is broken, reading goes on at the next line that begins with a brace.
fn stream<'a>(text: &'a str, lines: &mut Lines<'a>) -> Vec<JsonRow<'a>> {
    let mut rows = Vec::new();
    let mut from = 0;
    while from < text.len() {
        let mut values = serde_json::Deserializer::from_str(&text[from..]).into_iter::<&RawValue>();
        let mut end = 0;
        let broken = loop {
            match values.next() {
                None => break None,
                Some(Err(error)) => break Some(error),
                Some(Ok(value)) => {
                    end = values.byte_offset();
                    let line = lines.at(from + end - value.get().len());
                    let json = Ok(value.get());
                    rows.push(JsonRow { line, json });
                }
            }
        };
        let Some(error) = broken else { break };
        let begin = from + end + blank(&text[from + end..]);
        let line = lines.at(begin);
        let json = Err(not_json(&error));
        rows.push(JsonRow { line, json });
        // Never before the place where it broke, so that no letter is read twice.
        let broke = byte_of(&text[from..], error.line(), error.column()).max(begin - from + 1);
        from = match text[from..].get(broke..).and_then(|rest| rest.find("\n{")) {
            Some(next) => from + broke + next + 1,
            None => break,
        };
    }
    rows
}

fn list<'a>(text: &'a str, lines: &mut Lines<'a>) -> Result<Vec<JsonRow<'a>>, (usize, String)> {
    let Elements(elements) = serde_json::from_str(text).map_err(|error| {
        let problem = format!("the JSON list is broken there ({error})");
        (error.line(), problem)
    })?;
    let start = text.as_ptr() as usize;
    let row = |value: &'a RawValue| JsonRow {
        line: lines.at(value.get().as_ptr() as usize - start),
        json: Ok(value.get()),
    };
    Ok(elements.into_iter().map(row).collect())
}

/// The elements of a list that cannot be read as a whole. After one that is broken, reading goes on at the next line that
/// begins as the first element does, so that nothing within an element is taken for one.
fn broken_list<'a>(text: &'a str, lines: &mut Lines<'a>) -> Vec<JsonRow<'a>> {
    let mut rows = Vec::new();
    let mut at = text.find('[').map_or(text.len(), |open| open + 1);
    let first = at + blank(&text[at..]);
    let begins = text[..first].rfind('\n').map(|line| {
        let letter = text[first..].chars().next();
        format!("{}{}", &text[line..first], letter.unwrap_or_default())
    });
    loop {
        let rest = text[at..].trim_start_matches([' ', '\t', '\n', '\r', ',']);
        at = text.len() - rest.len();
        let line = lines.at(at);
        let wrong = |words: &str| JsonRow {
            line,
            json: Err(words.to_owned()),
        };
        match rest.strip_prefix(']') {
            Some(behind) if behind.trim().is_empty() => break,
            Some(_) => {
                rows.push(wrong(
                    "ends the list, and more stands behind it; keep one list in a file",
                ));
                break;
            }
            None if rest.is_empty() => {
                rows.push(wrong(
                    "does not close the list; it may be the beginning of a longer file",
                ));
                break;
            }
            None => {}
        }
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        match values.next() {
            Some(Ok(value)) => {
                let json = Ok(value.get());
                rows.push(JsonRow { line, json });
                at += values.byte_offset();
            }
            Some(Err(error)) => {
                let json = Err(not_json(&error));
                rows.push(JsonRow { line, json });
                let broke = byte_of(rest, error.line(), error.column());
                // The line in which it broke may be the next element's already.
                let from = rest[..broke].rfind('\n').unwrap_or(0);
                let next = begins
                    .as_ref()
                    .and_then(|begins| rest[from..].find(begins.as_str()));
                match next {
                    Some(next) => at += from + next + 1,
                    None => break,
                }
            }
            None => break,
        }
    }
    rows
}

/// The lists of objects that a JSON object holds, with their names; a conversation is a row and not a list of rows.
pub(super) fn held(object: &str) -> Vec<(String, Vec<&str>)> {
    let Ok(fields) = serde_json::from_str::<Fields<'_>>(object) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let of_rows = |(name, _): &(String, &RawValue)| !MESSAGES.contains(&name.as_str());
    for (name, value) in fields.0.into_iter().filter(of_rows) {
        let elements = serde_json::from_str::<Elements<'_>>(value.get());
        let Ok(Elements(elements)) = elements else {
            continue;
        };
        let is_object = |value: &&RawValue| value.get().starts_with('{');
        if elements.first().is_some_and(is_object) {
            found.push((name, elements.into_iter().map(RawValue::get).collect()));
        }
    }
    found
}

/// Fields of an object in their order, as text.
pub(super) struct Fields<'a>(pub Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Read).map(Self)
    }
}

struct Elements<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = list.next_element()? {
                    elements.push(element);
                }
                Ok(elements)
            }
        }
        deserializer.deserialize_seq(Read).map(Self)
    }
}

/// Lines of rising places, counted once.
struct Lines<'a> {
    text: &'a str,
    line: usize,
    counted: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            line: 1,
            counted: 0,
        }
    }

    fn at(&mut self, byte: usize) -> usize {
        let new = self
            .text
            .as_bytes()
            .get(self.counted..byte)
            .unwrap_or_default();
        self.line += new.iter().filter(|byte| **byte == b'\n').count();
        self.counted = self.counted.max(byte);
        self.line
    }
}

fn blank(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// The byte of a line and column of serde_json, which count from 1 and 0.
fn byte_of(text: &str, line: usize, column: usize) -> usize {
    let mut begin = 0;
    for _ in 1..line {
        match text[begin..].find('\n') {
            Some(end) => begin += end + 1,
            None => return text.len(),
        }
    }
    let mut at = (begin + column).min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

fn not_json(error: &serde_json::Error) -> String {
    format!(
        "is not JSON ({error}); write an object on each line, such as {{\"prompt\": \"…\", \"completion\": \"…\"}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> (Arrangement, Vec<(usize, Option<&str>)>) {
        let (arrangement, rows) = rows(text).unwrap();
        let rows = rows.into_iter().map(|row| (row.line, row.json.ok()));
        (arrangement, rows.collect())
    }

    #[test]
    fn rows_are_found_however_they_are_put_together() {
        let (a, b) = (r#"{"a": 1}"#, r#"{"b": "}\n"}"#);
        let expected = vec![(1, Some(a)), (3, Some(b))];
        assert_eq!(
            shown(&format!("{a}\n\n{b}\n")),
            (Arrangement::Lines, expected)
        );
        assert_eq!(
            shown(&format!("{a}{b} {a}")).1,
            [(1, Some(a)), (1, Some(b)), (1, Some(a))]
        );
        assert_eq!(
            shown(&format!("\n[\n{a},\n{b}]\n")),
            (Arrangement::List, vec![(3, Some(a)), (4, Some(b))])
        );
        let pretty = "{\n  \"a\": 1\n}";
        assert_eq!(
            shown(&format!("{pretty}\n{pretty}{a}")),
            (
                Arrangement::Stream,
                vec![(1, Some(pretty)), (4, Some(pretty)), (6, Some(a))]
            )
        );
        assert_eq!(
            shown("[{}, {}]\n[{}]\n"),
            (
                Arrangement::Lines,
                vec![(1, Some("[{}, {}]")), (2, Some("[{}]"))]
            )
        );
    }

    #[test]
    fn a_broken_row_costs_itself() {
        assert_eq!(
            shown("{\"a\": 1}\n{\"a\": \n{\"a\": 2}\n{\"a\": 3} x\n").1,
            [
                (1, Some("{\"a\": 1}")),
                (2, None),
                (3, Some("{\"a\": 2}")),
                (4, Some("{\"a\": 3}")),
                (4, None)
            ]
        );
        // The first line is broken, and no value goes over lines.
        assert_eq!(
            shown("{\"a\": \n{\"a\": 2}\n").1,
            [(1, None), (2, Some("{\"a\": 2}"))]
        );
        assert_eq!(
            shown("{\n\"a\": 1\n}\n{\n\"a\": x\n}\n{\n\"a\": 3\n}\n").1,
            [
                (1, Some("{\n\"a\": 1\n}")),
                (4, None),
                (7, Some("{\n\"a\": 3\n}"))
            ]
        );
        let (line, problem) = rows("[\n{\"a\": 1,\n").err().unwrap();
        assert_eq!(line, 3);
        assert!(
            problem.starts_with("the JSON list is broken there"),
            "{problem}"
        );
        let words = |text: &str| {
            let (arrangement, rows) = rows(text).unwrap();
            assert_eq!(arrangement, Arrangement::List);
            let wrong = rows
                .into_iter()
                .filter_map(|row| Some((row.line, row.json.err()?)));
            wrong.collect::<Vec<_>>()
        };
        // A comma behind the last row is no row.
        assert_eq!(words("[\n{\"a\": 1},\n]"), []);
        let [(2, unclosed)] = &words("[{\"a\": 1},\n{\"a\": 2}")[..] else {
            panic!("one problem in the last line");
        };
        assert!(
            unclosed.starts_with("does not close the list"),
            "{unclosed}"
        );
        let [(3, behind)] = &words("[\n{\"a\": 1}\n]\n[\n{\"a\": 2}\n]")[..] else {
            panic!("one problem where the list ends");
        };
        assert!(behind.starts_with("ends the list, and more"), "{behind}");
        // What is within a broken row is no row.
        let nested = "[\n  {\"a\": [\n    {\"b\": 1}\n  }\n  ,\n  {\"a\": 2}\n]";
        let (_, rows) = rows(nested).unwrap();
        let shown: Vec<_> = rows
            .into_iter()
            .map(|row| (row.line, row.json.ok()))
            .collect();
        assert_eq!(shown, [(2, None), (6, Some("{\"a\": 2}"))]);
    }

    #[test]
    fn many_open_brackets_are_read_once() {
        // Each line alone would be read to the end of the file.
        let text = "{\n".repeat(100_000);
        let (arrangement, rows) = rows(&text).unwrap();
        assert_eq!(arrangement, Arrangement::Lines);
        assert_eq!(rows.len(), 100_000);
    }

    #[test]
    fn an_object_may_hold_the_rows() {
        assert_eq!(
            held(r#"{"version": 1, "names": ["x"], "data": [{"a": 1}, {"a": 2}]}"#),
            [("data".to_owned(), vec![r#"{"a": 1}"#, r#"{"a": 2}"#])]
        );
        assert_eq!(held(r#"{"a": 1}"#), []);
        assert_eq!(held(r#"{"train": [{}], "test": [{}]}"#).len(), 2);
        assert_eq!(held(r#"{"conversations": [{}]}"#), []);
    }
}
