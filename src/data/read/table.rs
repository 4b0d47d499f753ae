//! Comma, semicolon or tab separated values with a header line.

use super::bad_lines::BadLines;
use super::{Record, RecordAtLine};
use crate::data::columns::Columns;
use crate::data::error::DataError;

/// A pair for every row. The separator is the one of comma, semicolon and tab that the header has most of; quoted fields
/// may span lines. Without `columns`, they are guessed from the header.
///
/// # Errors
/// [`DataError`] if a column is missing, about the first row with too many or too few fields or without a completion, or
/// if there are no rows.
pub fn read(
    file: &str,
    text: &str,
    columns: Option<&Columns>,
    maximum: usize,
) -> Result<Vec<RecordAtLine>, DataError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(text))
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
    let columns = match columns {
        Some(columns) => columns.clone(),
        None => Columns::guess(header.iter()).ok_or_else(|| {
            DataError::in_file(
                file,
                format!(
                    "has the columns {}; choose which are the prompt and the completion, or name them {}",
                    names(&header),
                    Columns::known()
                ),
            )
        })?,
    };
    let position = |name: &String| {
        header
            .iter()
            .position(|column| column == name)
            .ok_or_else(|| {
                DataError::in_file(
                    file,
                    format!("has no column `{name}`; its columns are {}", names(&header)),
                )
            })
    };
    let prompt_columns = columns
        .prompt
        .iter()
        .map(position)
        .collect::<Result<Vec<_>, _>>()?;
    let completion_column = position(&columns.completion)?;

    let mut bad_lines = BadLines::default();
    let mut records = Vec::new();
    for row in reader.records() {
        if records.len() == maximum {
            break;
        }
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                bad_lines.add(line_of(error.position(), text), explain(&error));
                continue;
            }
        };
        let line = line_of(row.position(), text);
        let mut prompt = String::new();
        for column in &prompt_columns {
            join(&mut prompt, &row[*column]);
        }
        let completion = row[completion_column].trim().to_owned();
        if completion.is_empty() {
            bad_lines.add(
                line,
                format!(
                    "has an empty `{}`; write a completion or remove the row",
                    columns.completion
                ),
            );
            continue;
        }
        let record = Record::Pair { prompt, completion };
        records.push(RecordAtLine { line, record });
    }
    bad_lines.check(file, records, "write a row for each below the header line")
}

/// Adds a field to a prompt that may have one already, with a line end between them.
pub(super) fn join(prompt: &mut String, field: &str) {
    let field = field.trim();
    if !prompt.is_empty() && !field.is_empty() {
        prompt.push('\n');
    }
    prompt.push_str(field);
}

fn separator(text: &str) -> u8 {
    let header = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let count = |separator: u8| header.bytes().filter(|byte| *byte == separator).count();
    // The last of equals is taken: a header of one column is read as comma separated.
    [b';', b'\t', b',']
        .into_iter()
        .max_by_key(|separator| count(*separator))
        .unwrap_or(b',')
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

fn names(header: &csv::StringRecord) -> String {
    header.iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(line: usize, prompt: &str, completion: &str) -> RecordAtLine {
        RecordAtLine {
            line,
            record: Record::Pair {
                prompt: prompt.into(),
                completion: completion.into(),
            },
        }
    }

    #[test]
    fn quotes_separators_and_lines_inside_fields() {
        let text = "id,prompt,completion\n1,\"a, \"\"b\"\"\",c\n2,\"d\ne\",\"f\n\ng\"\n\n3,,h\n";
        assert_eq!(
            read("t.csv", text, None, usize::MAX),
            Ok(vec![
                pair(2, "a, \"b\"", "c"),
                pair(3, "d\ne", "f\n\ng"),
                pair(8, "", "h")
            ])
        );
    }

    #[test]
    fn columns_are_chosen_or_guessed_and_the_separator_found() {
        let chosen = Columns {
            prompt: vec!["city".into(), "country".into()],
            completion: "says".into(),
        };
        assert_eq!(
            read(
                "t.csv",
                "country;says;city\nFrance;\"Bon, jour\";Paris\n",
                Some(&chosen),
                usize::MAX
            ),
            Ok(vec![pair(2, "Paris\nFrance", "Bon, jour")])
        );
        assert_eq!(
            read("t.tsv", "Question\tAnswer\na, b; c\td\ne\tf\n", None, 1),
            Ok(vec![pair(2, "a, b; c", "d")])
        );
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
                "prompt,completion\n",
                None,
                "t.csv: has no examples; write a row",
            ),
            (
                "prompt,completion\na,b\n\nc\nd,\n",
                None,
                "t.csv, line 4: has 1 fields where the header has 2; put fields that contain the separator, a quote or a line end in double quotes (and 1 more bad line)",
            ),
            (
                "prompt,completion\na,\" \"\n",
                None,
                "t.csv, line 2: has an empty `completion`",
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
    }
}
