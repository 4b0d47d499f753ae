//! Jinja's `tojson` as transformers gives it to chat templates.
//!
//! It is Python's `json.dumps(value, ensure_ascii=False)`: a space after each comma and colon, no HTML escapes, keys in
//! their order (`transformers/utils/chat_template_utils.py`). Models are trained on these very characters.

use std::io::{self, Write};

use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, State, Value};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// What a byte of JSON costs in fuel, as in minijinja's own filter.
const BYTES_A_FUEL: usize = 4;

/// The filter. `indent` is a number of spaces, with a line for each element; `separators`, `sort_keys` and `ensure_ascii` other
/// than transformers' defaults are refused, for no template that is known asks for them.
///
/// # Errors
/// A value that is no JSON or for which the fuel does not last, or an option that is not computed.
pub fn filter(
    state: &State,
    value: &Value,
    indent: Option<usize>,
    options: Kwargs,
) -> Result<Value, Error> {
    let named: Option<usize> = options.get("indent")?;
    let ensure_ascii: Option<bool> = options.get("ensure_ascii")?;
    let sort_keys: Option<bool> = options.get("sort_keys")?;
    options.assert_all_used()?;
    for (name, given) in [("ensure_ascii", ensure_ascii), ("sort_keys", sort_keys)] {
        if given == Some(true) {
            let problem = format!("tojson with {name} is not supported");
            return Err(Error::new(ErrorKind::InvalidOperation, problem));
        }
    }
    let text = match indent.or(named) {
        None => written(state, value, OneLine)?,
        Some(spaces) => {
            // Longer ones would let a template of a few bytes write gigabytes.
            let spaces = b"                "
                .get(..spaces)
                .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "tojson indents too far"))?;
            written(state, value, PrettyFormatter::with_indent(spaces))?
        }
    };
    // Marked as safe, or a template with automatic escapes would write quotes as entities.
    Ok(Value::from_safe_string(text))
}

fn written(state: &State, value: &Value, formatter: impl Formatter) -> Result<String, Error> {
    let mut charged = Charged {
        state,
        bytes: Vec::new(),
        exhausted: None,
    };
    let result = value.serialize(&mut Serializer::with_formatter(&mut charged, formatter));
    if let Some(exhausted) = charged.exhausted {
        return Err(exhausted);
    }
    let bad = |problem: String| Error::new(ErrorKind::BadSerialization, problem);
    result.map_err(|error| bad(error.to_string()))?;
    String::from_utf8(charged.bytes).map_err(|error| bad(error.to_string()))
}

/// Pays for what it takes: a list that holds another one twice, and so on, is small itself and endless when written.
struct Charged<'state, 'template, 'environment> {
    state: &'state State<'template, 'environment>,
    bytes: Vec<u8>,
    exhausted: Option<Error>,
}

impl Write for Charged<'_, '_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let paid = self.bytes.len() / BYTES_A_FUEL;
        self.bytes.extend_from_slice(bytes);
        let due = self.bytes.len() / BYTES_A_FUEL - paid;
        if let Err(error) = self.state.consume_fuel(due as u64) {
            self.exhausted = Some(error);
            return Err(io::Error::other("the fuel is used up"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Python's separators, `, ` and `: `.
struct OneLine;

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
    ) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &str) -> Result<String, Error> {
        let mut environment = minijinja::Environment::new();
        environment.add_filter("tojson", filter);
        let value = serde_json::json!({"z": [1, 2.5, null, true], "a": {"b": "<é\"'>"}, "e": []});
        environment.render_str(
            template,
            minijinja::context! { value => minijinja::value::Serde(value) },
        )
    }

    // Expected: json.dumps(value, ensure_ascii=False) and with indent=2 of CPython 3.11.
    #[test]
    fn it_is_what_python_writes() {
        assert_eq!(
            rendered("{{ value | tojson }}").unwrap(),
            r#"{"z": [1, 2.5, null, true], "a": {"b": "<é\"'>"}, "e": []}"#
        );
        assert_eq!(
            rendered("{{ value.z | tojson(indent=2) }}").unwrap(),
            "[\n  1,\n  2.5,\n  null,\n  true\n]"
        );
        assert!(rendered("{{ value | tojson(indent=1000000000) }}").is_err());
        assert!(rendered("{{ value | tojson(sort_keys=true) }}").is_err());
    }
}
