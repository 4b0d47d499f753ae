//! Which format a file has.

use super::columns::Columns;
use super::decode::Encoding;
use super::read::table;
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
    /// JSON objects, a line each, in a list or one after another: pairs, conversations, or documents in `text`.
    JsonLines,
    /// Values with a header line, separated by commas, semicolons, tabs or bars.
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
    /// How its letters are written.
    pub encoding: Encoding,
    /// What stands between the fields of a table.
    pub separator: Option<char>,
    /// How the rows of a JSON file are put together, in words.
    pub arranged: Option<String>,
    /// The columns of the first pair, where pairs have names.
    pub columns: Option<Columns>,
}

/// The format of a file, by its name's extension and else by its first lines, with the reason in a few words. `text` is
/// [`super::decode::decode`]d, and may be only the beginning of the file.
pub fn detect(file: &str, text: &str) -> (Format, String) {
    let extension = file
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase())
        .unwrap_or_default();
    match extension.as_str() {
        "jsonl" | "ndjson" | "json" => {
            return (Format::JsonLines, format!("the name ends in .{extension}"));
        }
        "csv" | "tsv" => return (Format::Table, format!("the name ends in .{extension}")),
        _ => {}
    }
    if begins_json(text) {
        return (Format::JsonLines, "it begins like JSON".to_owned());
    }
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(LINES_LOOKED_AT)
        .collect();
    let marked = lines.iter().filter(|line| line.contains("||")).count();
    if marked > 0 && marked == lines.len() {
        return (Format::Pairs, "the first lines all contain ||".to_owned());
    }
    if 2 * marked > lines.len() {
        let all = lines.len();
        return (
            Format::Pairs,
            format!("{marked} of the first {all} lines contain ||"),
        );
    }
    if table::tells_separator(text) {
        return (
            Format::Table,
            "the first line tells its separator".to_owned(),
        );
    }
    if let Some(header) = lines.first() {
        let separator = char::from(table::separator(header));
        let names = header
            .split(separator)
            .map(|name| name.trim().trim_matches('"'));
        let rows = &lines[1..];
        let separated = rows.iter().filter(|row| row.contains(separator)).count();
        if 2 * separated > rows.len() && Columns::guess(names).is_some() {
            return (
                Format::Table,
                "the first line names columns of a pair".to_owned(),
            );
        }
    }
    let reason = match marked {
        0 => "neither JSON, nor lines with ||, nor names of columns at the beginning".to_owned(),
        _ => format!(
            "only {marked} of the first {} lines contain ||",
            lines.len()
        ),
    };
    (Format::Text, reason)
}

/// Whether a text begins with an object with a field, or with a list of objects or lists.
fn begins_json(text: &str) -> bool {
    let mut letters = text.chars().filter(|letter| !letter.is_whitespace());
    matches!(
        (letters.next(), letters.next()),
        (Some('{'), Some('"')) | (Some('['), Some('{' | '['))
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
            ("a.txt", "[\n  {\"prompt\": 1", Format::JsonLines),
            ("a.txt", "{\n  \"prompt\": 1", Format::JsonLines),
            ("a.txt", "a||b\n\nc || d\n", Format::Pairs),
            ("a.txt", "a||b\nc||d\ne\n", Format::Pairs),
            ("a.txt", "a||b\nc\n", Format::Text),
            ("a.txt", "prompt\tcompletion\na\tb\n", Format::Table),
            (
                "a.txt",
                "Question, answer, and what follows\nfrom it",
                Format::Text,
            ),
            ("a", "{not json", Format::Text),
            ("a", "[1] a footnote", Format::Text),
            ("", "", Format::Text),
        ];
        for (file, text, format) in cases {
            assert_eq!(detect(file, text).0, format, "{file} {text}");
        }
        assert_eq!(detect("a.csv", "").1, "the name ends in .csv");
        assert_eq!(
            detect("a.txt", "a||b\nc||d\ne\n").1,
            "2 of the first 3 lines contain ||"
        );
    }
}
