//! Rows of a parquet file as JSON lines, the same that the page makes of them (`www/src/store/parquet.ts`).

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Duration};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, Row},
};
use serde_json::{Map, Value};

/// What every parquet file begins with.
const MAGIC: &[u8] = b"PAR1";

/// Whether a file is parquet, by its first bytes.
pub fn is_parquet(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Each row as the JSON object that its columns make: decimals as the nearest floating-point number, days and times as ISO
/// 8601 writes them, in UTC. Bytes that are no text have no place in JSON and become null, which is said.
///
/// # Errors
/// A file that is no sound parquet file, or that has no rows.
pub fn json_lines(path: &Path) -> Result<Vec<u8>> {
    let context = || {
        format!(
            "{} cannot be read as parquet; download it again, or save its rows as JSON lines or CSV",
            path.display()
        )
    };
    let file = File::open(path).with_context(context)?;
    let reader = SerializedFileReader::new(file).with_context(context)?;
    let mut lines = Vec::new();
    let mut without_text = Vec::new();
    for row in reader.get_row_iter(None).with_context(context)? {
        let row = object(&row.with_context(context)?, &mut without_text);
        serde_json::to_writer(&mut lines, &row)?;
        lines.push(b'\n');
    }
    ensure!(
        !lines.is_empty(),
        "{} has no rows; choose another file",
        path.display()
    );
    if !without_text.is_empty() {
        eprintln!(
            "{}: {} of its fields are bytes and no text, and are read as empty: {}",
            path.display(),
            without_text.len(),
            without_text.join(", ")
        );
    }
    Ok(lines)
}

fn object(row: &Row, without_text: &mut Vec<String>) -> Value {
    let fields = row.get_column_iter().map(|(name, field)| {
        if matches!(field, Field::Bytes(_)) && !without_text.contains(name) {
            without_text.push(name.clone());
        }
        (name.clone(), value(field, without_text))
    });
    Value::Object(fields.collect())
}

fn value(field: &Field, without_text: &mut Vec<String>) -> Value {
    match field {
        Field::Null | Field::Bytes(_) => Value::Null,
        Field::Bool(value) => (*value).into(),
        Field::Byte(value) => (*value).into(),
        Field::Short(value) => (*value).into(),
        Field::Int(value) => (*value).into(),
        Field::Long(value) => (*value).into(),
        Field::UByte(value) => (*value).into(),
        Field::UShort(value) => (*value).into(),
        Field::UInt(value) => (*value).into(),
        Field::ULong(value) => (*value).into(),
        Field::Float16(value) => f64::from(*value).into(),
        Field::Float(value) => f64::from(*value).into(),
        Field::Double(value) => (*value).into(),
        Field::Str(value) => value.as_str().into(),
        Field::Group(row) => object(row, without_text),
        Field::ListInternal(list) => {
            let elements = list.elements().iter();
            elements.map(|field| value(field, without_text)).collect()
        }
        Field::MapInternal(map) => {
            let mut fields = Map::new();
            for (key, inner) in map.entries() {
                let key = match key {
                    Field::Str(key) => key.clone(),
                    other => other.to_string(),
                };
                fields.insert(key, value(inner, without_text));
            }
            Value::Object(fields)
        }
        Field::Decimal(_) => {
            let nearest = field.to_string().parse::<f64>();
            nearest.map_or(Value::Null, Into::into)
        }
        Field::Date(days) => moment(i64::from(*days), Duration::try_days, "%Y-%m-%d"),
        Field::TimestampMillis(millis) => moment(*millis, Duration::try_milliseconds, TIME),
        Field::TimestampMicros(micros) => {
            moment(*micros, |micros| Some(Duration::microseconds(micros)), TIME)
        }
        Field::TimeMillis(time) => (*time).into(),
        Field::TimeMicros(time) => (*time).into(),
    }
}

/// A day and time, with six figures after the point of its seconds where there are any.
const TIME: &str = "%Y-%m-%dT%H:%M:%S%.6f";

/// The moment `count` units after the beginning of 1970; null where it is further than calendars go.
fn moment(count: i64, unit: impl Fn(i64) -> Option<Duration>, format: &str) -> Value {
    let after = unit(count);
    let moment = after.and_then(|after| DateTime::UNIX_EPOCH.checked_add_signed(after));
    moment.map_or(Value::Null, |moment| {
        let words = moment.format(format).to_string();
        words.strip_suffix(".000000").unwrap_or(&words).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/parquet")
            .join(name)
    }

    #[test]
    fn rows_are_those_that_the_file_holds_however_it_is_packed() {
        let expected = std::fs::read_to_string(fixture("rows.jsonl")).unwrap();
        let packed = ["none", "snappy", "gzip", "zstd"].map(|name| (name, expected.clone()));
        let kinds = std::fs::read_to_string(fixture("kinds.jsonl")).unwrap();
        for (name, expected) in packed.into_iter().chain([("kinds", kinds)]) {
            let path = fixture(&format!("{name}.parquet"));
            assert!(is_parquet(&std::fs::read(&path).unwrap()));
            let lines = String::from_utf8(json_lines(&path).unwrap()).unwrap();
            assert_eq!(lines, expected, "{name}");
        }
    }

    #[test]
    fn a_broken_file_is_refused_with_what_to_do() {
        let whole = std::fs::read(fixture("snappy.parquet")).unwrap();
        let broken = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(broken.path(), &whole[..whole.len() / 2]).unwrap();
        let error = format!("{:#}", json_lines(broken.path()).unwrap_err());
        assert!(
            error.contains("cannot be read as parquet; download it again"),
            "{error}"
        );
    }
}
