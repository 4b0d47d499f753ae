//! What a chat template may use: it comes with a file, and a file may hold any program.

use std::io::{self, Write};

use minijinja::value::{Kwargs, Rest, StringInput};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters};
use minijinja_contrib::pycompat;

/// Instructions for each message, and for as many more where there are few. Those that TRL 1.16 ships take up to some
/// hundreds.
const INSTRUCTIONS: u64 = 20_000;
const FEWEST_MESSAGES: u64 = 10;
/// Bytes that a conversation may become, beside eight times its own.
const OUTPUT_BYTES: usize = 16 << 20;
/// Largest width, or number of parts, that a filter or a format is given.
const WIDEST: usize = 10_000;

/// Sets what rendering a conversation of so many messages may use in time.
pub fn set_limits(environment: &mut Environment, messages: usize) {
    environment.set_fuel(Some(INSTRUCTIONS * (messages as u64 + FEWEST_MESSAGES)));
    environment.set_unknown_method_callback(method);
    environment.add_filter(
        "batch",
        |state: &State, value: Value, count: usize, fill: Option<Value>| {
            narrow(count)?;
            filters::batch(state, value, count, fill)
        },
    );
    environment.add_filter(
        "slice",
        |state: &State, value: Value, count: usize, fill: Option<Value>| {
            narrow(count)?;
            filters::slice(state, value, count, fill)
        },
    );
    environment.add_filter(
        "indent",
        |text: StringInput,
         width: Option<usize>,
         first: Option<bool>,
         blank: Option<bool>,
         more: Kwargs| {
            let named = more.peek::<Option<usize>>("width").ok().flatten();
            narrow(width.or(named).unwrap_or(0))?;
            filters::indent(text, width, first, blank, more)
        },
    );
    environment.add_filter(
        "format",
        |state: &State, text: Value, values: Rest<Value>| {
            if let Some(text) = text.as_str() {
                narrow_format(text)?;
            }
            filters::format(state, &text, values)
        },
    );
}

/// Python's methods, but for what never ends or fills the memory.
fn method(state: &State, value: &Value, name: &str, arguments: &[Value]) -> Result<Value, Error> {
    match (name, value.as_str()) {
        ("count", Some(text)) if arguments.first().and_then(Value::as_str) == Some("") => {
            // As in Python: between all letters, before the first and after the last.
            return Ok(Value::from(text.chars().count() + 1));
        }
        ("format", Some(text)) => narrow_format(text)?,
        _ => {}
    }
    pycompat::unknown_method_callback(state, value, name, arguments)
}

fn narrow_format(format: &str) -> Result<(), Error> {
    (format.split(|letter: char| !letter.is_ascii_digit()))
        .filter(|digits| !digits.is_empty())
        .try_for_each(|digits| narrow(digits.parse().unwrap_or(usize::MAX)))
}

fn narrow(width: usize) -> Result<(), Error> {
    if width <= WIDEST {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidOperation,
        format!("the template asks for a width of {width}; up to {WIDEST} is computed"),
    ))
}

/// What a template has written, up to a length.
pub struct Output {
    written: Vec<u8>,
    most: usize,
}

impl Output {
    /// For a conversation of `bytes`.
    pub fn new(bytes: usize) -> Self {
        Self {
            written: Vec::new(),
            most: OUTPUT_BYTES.saturating_add(bytes.saturating_mul(8)),
        }
    }

    /// All of it.
    pub fn into_text(self) -> String {
        String::from_utf8_lossy(&self.written).into_owned()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written.len() + bytes.len() > self.most {
            return Err(io::Error::other(format!(
                "the template makes more than {} bytes of this conversation",
                self.most
            )));
        }
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
