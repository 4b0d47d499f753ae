//! Values with a header line, separated by commas, semicolons, tabs or bars.

use super::{Read, Record, RecordAtLine, join, meant, pair, quotes};
use crate::data::columns::Columns;
use crate::data::error::DataError;
use crate::data::skipped::{RowError, SkipReason};
use crate::load::quoted;

/// What may stand between fields.
const SEPARATORS: [u8; 4] = [b'|', b';', b'\t', b','];

/// The column of documents, where a table has no pairs.
const TEXT: &str = "text";

/// What is made of a row.
enum Made {
    /// A pair of these columns, by position.
    Pair {
        columns: Columns,
        prompt: Vec<usize>,
        completion: usize,
        /// What is said before the prompt.
        system: Vec<usize>,
        /// Columns that may say nothing.
        refused: Vec<usize>,
    },
    /// A document.
    Document(usize),
}

/// A pair for every row, or a document where the only column that is known is `text`. The separator is the one that the
/// header has most of, or that a line before it tells (`sep=;`, as Excel writes it); quoted fields may span lines. Without
/// `columns`, they are guessed from the header.
///
/// # Errors
/// [`DataError`] of a header without the columns or with two of one name, or of a quote that never closes.
pub fn read(
    file: &str,
    text: &str,
    columns: Option<&Columns>,
    maximum: usize,
) -> Result<Read, DataError> {
    let separator = separator(text);
    let text = behind_separator(text);
    if let Some(line) = quotes::unclosed(text, separator) {
        return Err(DataError {
            file: file.to_owned(),
            line: Some(line),
            problem: "the quote is not closed; close it, or write two quotes for one inside a quoted field".to_owned(),
        });
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let header = reader
        .headers()
        .map_err(|error| {
            DataError::in_file(
                file,
                format!("has no header line that can be read ({error})"),
            )
        })?
        .clone();
    let made = made(file, &header, columns)?;
    let mut read = Read {
        separator: Some(char::from(separator)),
        ..Read::default()
    };
    let mut good = 0;
    for row in reader.records() {
        if good == maximum {
            break;
        }
        let (line, record) = match &row {
            Ok(row) => (
                line_of(row.position(), text),
                record(row, &header, separator, &made),
            ),
            Err(error) => {
                let problem = RowError::new(SkipReason::Unreadable, explain(error));
                (line_of(error.position(), text), Err(problem))
            }
        };
        match record {
            Err(error) => read.skipped.add(file, line, error),
            Ok(record) => {
                good += 1;
                read.records.push(RecordAtLine { line, record });
                if let Made::Document(_) = made {
                    let record = Record::EndOfDocument;
                    read.records.push(RecordAtLine { line, record });
                }
            }
        }
    }
    if let Made::Pair { columns, .. } = made {
        read.columns = Some(columns);
    }
    Ok(read)
}

fn record(
    row: &csv::StringRecord,
    header: &csv::StringRecord,
    separator: u8,
    made: &Made,
) -> Result<Record, RowError> {
    if separator == b'|' && is_rule(row) {
        return Err(RowError::new(
            SkipReason::Unreadable,
            "is the line below the header of a Markdown table; remove it",
        ));
    }
    match made {
        Made::Document(column) if row[*column].trim().is_empty() => {
            Err(RowError::field("has an empty `text`; remove the row"))
        }
        Made::Document(column) => Ok(Record::Text(row[*column].to_owned())),
        Made::Pair {
            columns,
            prompt,
            completion,
            system,
            refused,
        } => {
            let mut refused = refused.iter();
            if let Some(column) = refused.find(|column| !meant::says_nothing(&row[**column])) {
                return Err(meant::refused(header[*column].trim()));
            }
            let system = meant::system(system.iter().map(|column| row[*column].to_owned()))?;
            let mut joined = String::new();
            for column in prompt {
                join(&mut joined, &row[*column]);
            }
            let completion = row[*completion].to_owned();
            pair(system, joined, completion, &columns.completion)
        }
    }
}

/// What the columns of `header` are for. Spaces around a name are no part of it.
fn made(
    file: &str,
    header: &csv::StringRecord,
    columns: Option<&Columns>,
) -> Result<Made, DataError> {
    let wrong = |problem: String| Err(DataError::in_file(file, problem));
    let guessed = columns.is_none();
    let columns = match columns.cloned().or_else(|| Columns::guess(header.iter())) {
        Some(columns) => columns,
        None => {
            let mut documents = (0..header.len())
                .filter(|&column| header[column].trim().eq_ignore_ascii_case(TEXT));
            return match (documents.next(), documents.next()) {
                (Some(column), None) => Ok(Made::Document(column)),
                _ => wrong(format!(
                    "has the columns {}; choose which are the prompt and the completion, or name them {} or {TEXT}",
                    quoted::names(header.iter()),
                    Columns::known()
                )),
            };
        }
    };
    let position = |name: &String| {
        let mut found = (0..header.len()).filter(|&column| header[column].trim() == name.trim());
        match (found.next(), found.next()) {
            (Some(column), None) => Ok(column),
            (Some(one), Some(other)) => Err(DataError::in_file(
                file,
                format!(
                    "calls two columns `{}`, number {} and number {}; give each a name of its own",
                    quoted::text(name),
                    one + 1,
                    other + 1
                ),
            )),
            (None, _) => Err(DataError::in_file(
                file,
                format!(
                    "has no column `{}`; its columns are {}",
                    quoted::text(name),
                    quoted::names(header.iter())
                ),
            )),
        }
    };
    // Who chooses the columns says that the others do not count.
    let called = |names: &[&str]| -> Vec<usize> {
        let is_called = |&column: &usize| names.iter().any(|name| meant::is(&header[column], name));
        (0..header.len())
            .filter(is_called)
            .filter(|_| guessed)
            .collect()
    };
    Ok(Made::Pair {
        system: called(&meant::SYSTEM),
        refused: [
            called(&meant::NOWHERE),
            called(&meant::NO_TEXT),
            called(&meant::NOT_IN_PAIRS),
        ]
        .concat(),
        prompt: columns
            .prompt
            .iter()
            .map(position)
            .collect::<Result<_, _>>()?,
        completion: position(&columns.completion)?,
        columns,
    })
}

/// Whether a row is what Markdown draws below a header: dashes, and colons for sides.
fn is_rule(row: &csv::StringRecord) -> bool {
    let is_drawn = |field: &str| {
        field
            .trim()
            .trim_matches(':')
            .bytes()
            .all(|byte| byte == b'-')
    };
    row.iter().all(is_drawn) && row.iter().any(|field| field.contains('-'))
}

/// The separator that a first line tells, and that line.
fn told_separator(text: &str) -> Option<(u8, &str)> {
    let line = text.lines().next()?;
    let told = line.trim().trim_matches('"').strip_prefix("sep=")?;
    match told.as_bytes() {
        [separator] if SEPARATORS.contains(separator) => Some((*separator, line)),
        _ => None,
    }
}

/// Whether a text begins with a line that tells its separator.
pub(in crate::data) fn tells_separator(text: &str) -> bool {
    told_separator(text).is_some()
}

/// The text behind a line that tells the separator. Its line end stays, so that lines keep their numbers.
fn behind_separator(text: &str) -> &str {
    told_separator(text).map_or(text, |(_, line)| &text[line.len()..])
}

/// The separator that a first line tells, else the one that the header line has most of, outside of quotes; a header of one
/// column is read as comma separated.
pub(in crate::data) fn separator(text: &str) -> u8 {
    if let Some((separator, _)) = told_separator(text) {
        return separator;
    }
    let header = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let outside: String = header.split('"').step_by(2).collect();
    let count = |separator: u8| outside.bytes().filter(|byte| *byte == separator).count();
    // The last of equals is taken.
    let most = SEPARATORS
        .into_iter()
        .max_by_key(|separator| count(*separator));
    most.unwrap_or(b',')
}

/// Line of the first character of a row, counted from 1. The csv crate gives that of the blank lines before it.
fn line_of(position: Option<&csv::Position>, text: &str) -> usize {
    let (line, byte) = position.map_or((1, 0), |position| (position.line(), position.byte()));
    let rest = text.as_bytes().get(byte as usize..).unwrap_or_default();
    let blank_lines = rest.iter().take_while(|byte| **byte == b'\n').count();
    line as usize + blank_lines
}

fn explain(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!(
            "has {len} fields where the header has {expected_len}; put fields that contain the separator, a quote or a line end in double quotes"
        ),
        _ => format!("cannot be read as a row of a table ({error}); export the table again as CSV"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(line: usize, prompt: &str, completion: &str) -> RecordAtLine {
        RecordAtLine {
            line,
            record: Record::Pair {
                system: None,
                prompt: prompt.into(),
                completion: completion.into(),
            },
        }
    }

    fn records(text: &str, columns: Option<&Columns>, maximum: usize) -> Vec<RecordAtLine> {
        read("t.csv", text, columns, maximum).unwrap().records
    }

    #[test]
    fn quotes_separators_and_lines_inside_fields() {
        let text = "id,prompt,completion\n1,\"a, \"\"b\"\"\",c\n2,\"d\ne\",\"  f\n\ng \"\n\n3,,h\n";
        assert_eq!(
            records(text, None, usize::MAX),
            [
                pair(2, "a, \"b\"", "c"),
                pair(3, "d\ne", "  f\n\ng "),
                pair(8, "", "h")
            ]
        );
    }

    #[test]
    fn columns_are_chosen_or_guessed_and_the_separator_found() {
        let chosen = Columns {
            prompt: vec!["city".into(), "country".into()],
            completion: "says".into(),
        };
        assert_eq!(
            records(
                "country;says;city\nFrance;\"Bon, jour\";Paris\n",
                Some(&chosen),
                9
            ),
            [pair(2, "Paris\nFrance", "Bon, jour")]
        );
        assert_eq!(
            records("Question\tAnswer\na, b; c\td\ne\tf\n", None, 1),
            [pair(2, "a, b; c", "d")]
        );
        assert_eq!(
            records("prompt|completion\na, b|c\n", None, 9),
            [pair(2, "a, b", "c")]
        );
        assert_eq!(
            records(" Prompt ,Completion\na,b\n", None, 9),
            [pair(2, "a", "b")]
        );
    }

    #[test]
    fn a_column_of_texts_holds_documents() {
        let read = read(
            "t.csv",
            "text,label\n\"one\ntwo\"\"\"\n\"\",a\n\"plain, quoted\",b",
            None,
            9,
        );
        let read = read.unwrap();
        let texts: Vec<&Record> = read.records.iter().map(|row| &row.record).collect();
        assert_eq!(
            texts,
            [
                &Record::Text("plain, quoted".into()),
                &Record::EndOfDocument
            ]
        );
        // A row with one field of two, and one without a text.
        assert_eq!(read.skipped.rows(), 2);
    }

    #[test]
    fn bad_tables_are_explained() {
        let chosen = Columns::new("prompt", "reply");
        let cases = [
            (
                "a,b\n1,2\n",
                None,
                "t.csv: has the columns a, b; choose which are the prompt and the completion",
            ),
            (
                "prompt,completion,completion\na,b,c\n",
                None,
                "t.csv: calls two columns `completion`, number 2 and number 3; give",
            ),
            (
                "prompt,completion\n\"a,b\nc,d\n",
                None,
                "t.csv, line 2: the quote is not closed; close it",
            ),
            (
                "prompt,completion\na,b\n",
                Some(&chosen),
                "t.csv: has no column `reply`; its columns are prompt, completion",
            ),
        ];
        for (text, columns, expected) in cases {
            let message = read("t.csv", text, columns, usize::MAX)
                .unwrap_err()
                .to_string();
            assert!(message.starts_with(expected), "{message}");
        }
        let bad = read("t.csv", "prompt,completion\na,b\n\nc\nd,\n", None, 9).unwrap();
        assert_eq!(bad.records, [pair(2, "a", "b")]);
        assert_eq!(
            bad.skipped.error().unwrap().to_string(),
            "t.csv, line 4: has 1 fields where the header has 2; put fields that contain the separator, a quote or a line end in double quotes (and 1 more bad row)"
        );
    }
}
