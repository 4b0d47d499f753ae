//! Rows of a parquet file as JSON lines, the same that the page makes of them (`www/src/store/parquet.ts`).

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Duration};
use parquet::{
    basic::{ConvertedType, LogicalType, Type as PhysicalType},
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, Row},
    schema::types::Type,
};
use serde_json::{Map, Value};

/// What every parquet file begins with.
pub const MAGIC: &[u8] = b"PAR1";

/// Each row as the JSON object that its columns make: decimals as the nearest floating-point number, days and times as ISO
/// 8601 writes them, in UTC, nanoseconds as their number. Bytes that are no text have no place in JSON and become null, and
/// columns of kinds that programs read in different ways are left out; both is said. `path` is for messages.
///
/// # Errors
/// A file that is no sound parquet file, or that has no rows, or no column that is read.
pub fn json_lines(path: &Path, file: File) -> Result<Vec<u8>> {
    let context = || {
        format!(
            "{} cannot be read as parquet; download it again, or save its rows as JSON lines or CSV",
            path.display()
        )
    };
    let reader = SerializedFileReader::new(file).with_context(context)?;
    let (columns, left_out) = columns_of(reader.metadata().file_metadata().schema());
    let left_out = match left_out.len() {
        0 => String::new(),
        count => format!(
            "{}: {count} of its fields are of kinds that programs read in different ways, and are left out: {}; to use one, \
             save it as text or as a time in microseconds",
            path.display(),
            left_out.join(", ")
        ),
    };
    ensure!(
        !columns.get_fields().is_empty(),
        "{left_out}; it has no other field"
    );
    if !left_out.is_empty() {
        eprintln!("{left_out}");
    }
    let mut lines = Vec::new();
    let mut without_text = Vec::new();
    for row in reader.get_row_iter(Some(columns)).with_context(context)? {
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

/// The columns that are read, and the others with the names of their kinds.
fn columns_of(schema: &Type) -> (Type, Vec<String>) {
    let mut left_out = Vec::new();
    let columns = schema.get_fields().iter().filter(|column| {
        let other = other_kind(column);
        left_out.extend(other.map(|kind| format!("{} ({kind})", column.name())));
        other.is_none()
    });
    let fields = columns.map(Arc::clone).collect();
    let basic_info = schema.get_basic_info().clone();
    (Type::GroupType { basic_info, fields }, left_out)
}

/// The name of a kind, in a column, that this program, the page and Python read in different ways.
fn other_kind(column: &Type) -> Option<&'static str> {
    let info = column.get_basic_info();
    match (info.converted_type(), info.logical_type_ref()) {
        (ConvertedType::INTERVAL, _) => Some("INTERVAL"),
        (ConvertedType::BSON, _) | (_, Some(LogicalType::Bson)) => Some("BSON"),
        (_, Some(LogicalType::Uuid)) => Some("UUID"),
        (_, Some(LogicalType::Variant(_))) => Some("VARIANT"),
        (_, Some(LogicalType::Geometry(_))) => Some("GEOMETRY"),
        (_, Some(LogicalType::Geography(_))) => Some("GEOGRAPHY"),
        (_, Some(LogicalType::File)) => Some("FILE"),
        _ if column.is_primitive() => {
            (column.get_physical_type() == PhysicalType::INT96).then_some("INT96")
        }
        _ => column
            .get_fields()
            .iter()
            .find_map(|field| other_kind(field)),
    }
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

    fn fixture(name: &str) -> (std::path::PathBuf, File) {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parquet");
        let path = fixtures.join(name);
        let file = File::open(&path).unwrap();
        (path, file)
    }

    #[test]
    fn rows_are_those_that_the_file_holds_however_it_is_packed() {
        let lines_of = |name| std::fs::read_to_string(fixture(name).0).unwrap();
        let packed = ["none", "snappy", "gzip", "zstd"].map(|name| (name, lines_of("rows.jsonl")));
        let others = [
            ("kinds", lines_of("kinds.jsonl")),
            (
                "other-kinds",
                "{\"text\":\"a\"}\n{\"text\":\"b\"}\n".to_owned(),
            ),
        ];
        for (name, expected) in packed.into_iter().chain(others) {
            let (path, file) = fixture(&format!("{name}.parquet"));
            let lines = String::from_utf8(json_lines(&path, file).unwrap()).unwrap();
            assert_eq!(lines, expected, "{name}");
        }
    }

    #[test]
    fn columns_that_are_left_out_are_named_with_their_kinds() {
        let (_, file) = fixture("other-kinds.parquet");
        let reader = SerializedFileReader::new(file).unwrap();
        let (columns, left_out) = columns_of(reader.metadata().file_metadata().schema());
        assert_eq!(columns.get_fields().len(), 1);
        assert_eq!(left_out, ["made (INT96)", "id (UUID)", "deep.er (INT96)"]);
    }

    #[test]
    fn a_broken_file_is_refused_with_what_to_do() {
        let whole = std::fs::read(fixture("snappy.parquet").0).unwrap();
        let mut broken = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut broken, &whole[..whole.len() / 2]).unwrap();
        let error = json_lines(Path::new("broken.parquet"), broken).unwrap_err();
        let error = format!("{error:#}");
        assert!(
            error.contains("cannot be read as parquet; download it again"),
            "{error}"
        );
    }
}
