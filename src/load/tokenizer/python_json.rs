//! Jinja's `tojson` as transformers gives it to chat templates.
//!
//! It is Python's `json.dumps(value, ensure_ascii=False)`: a space after each comma and colon, no HTML escapes, keys in
//! their order (`transformers/utils/chat_template_utils.py`). Models are trained on these very characters.

use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, Value};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// The filter. `indent` is a number of spaces, with a line for each element; `separators`, `sort_keys` and `ensure_ascii` other
/// than transformers' defaults are refused, for no template that is known asks for them.
///
/// # Errors
/// A value that is no JSON, or an option that is not computed.
pub fn filter(value: &Value, indent: Option<usize>, options: Kwargs) -> Result<Value, Error> {
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
        None => written(value, OneLine),
        Some(spaces) => {
            // Longer ones would let a template of a few bytes write gigabytes.
            let spaces = b"                "
                .get(..spaces)
                .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "tojson indents too far"))?;
            written(value, PrettyFormatter::with_indent(spaces))
        }
    };
    // Marked as safe, or a template with automatic escapes would write quotes as entities.
    text.map(Value::from_safe_string)
        .map_err(|problem| Error::new(ErrorKind::BadSerialization, problem))
}

fn written(value: &Value, formatter: impl Formatter) -> Result<String, String> {
    let mut bytes = Vec::new();
    value
        .serialize(&mut Serializer::with_formatter(&mut bytes, formatter))
        .map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
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
        environment.render_str(template, minijinja::context! { value => value })
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
