//! Which format a file has.

use serde::{Deserialize, Serialize};

/// How many filled lines are looked at.
const LINES_LOOKED_AT: usize = 20;

/// What a data file looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub enum Format {
    /// Running text, cut into windows of the sequence length.
    Text,
    /// A pair a line, `prompt||completion`.
    Pairs,
    /// A JSON object a line: a pair, a conversation in `messages`, or a document in `text`.
    JsonLines,
    /// Comma, semicolon or tab separated values with a header line.
    Table,
}

/// A format and what gave it away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Detected {
    /// The format.
    pub format: Format,
    /// Why, in a few words for the user.
    pub reason: String,
}

/// The format of a file, by its name's extension and else by its first lines. `text` is [`super::decode::decode`]d, and
/// may be only the beginning of the file.
pub fn detect(file: &str, text: &str) -> Detected {
    let found = |format, reason: String| Detected { format, reason };
    let extension = file
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase())
        .unwrap_or_default();
    match extension.as_str() {
        "jsonl" | "ndjson" | "json" => {
            return found(Format::JsonLines, format!("the name ends in .{extension}"));
        }
        "csv" | "tsv" => return found(Format::Table, format!("the name ends in .{extension}")),
        _ => {}
    }
    let mut lines = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(LINES_LOOKED_AT)
        .peekable();
    let first_is_object = lines.peek().is_some_and(|line| {
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line).is_ok()
    });
    if first_is_object {
        return found(Format::JsonLines, "the first line is a JSON object".into());
    }
    if lines.peek().is_some() && lines.all(|line| line.contains("||")) {
        return found(Format::Pairs, "the first lines all contain ||".into());
    }
    found(
        Format::Text,
        "neither JSON objects nor lines with || at the beginning".into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extension_first_then_content() {
        let cases = [
            ("a.jsonl", "x", Format::JsonLines),
            ("a.JSON", "[", Format::JsonLines),
            ("a.csv", "a||b", Format::Table),
            ("a.tsv", "a\tb", Format::Table),
            (
                "a.txt",
                "\n{\"prompt\": \"a\", \"completion\": \"b\"}\nx",
                Format::JsonLines,
            ),
            ("a.txt", "a||b\n\nc || d\n", Format::Pairs),
            ("a.txt", "a||b\nc\n", Format::Text),
            ("a", "{not json", Format::Text),
            ("", "", Format::Text),
        ];
        for (file, text, format) in cases {
            assert_eq!(detect(file, text).format, format, "{file} {text}");
        }
        assert_eq!(detect("a.csv", "").reason, "the name ends in .csv");
    }
}
