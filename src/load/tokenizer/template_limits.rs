//! What a chat template may use: it comes with a file, and a file may hold any program.

use minijinja::{Environment, Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;

use super::template_growth;

/// Fuel for each message, and for as many more where there are few. A unit is an instruction or 64 bytes of data, so that
/// fuel bounds time and memory. Templates that TRL 1.16 ships take up to some hundreds a message.
const FUEL: u64 = 4_000;
const FEWEST_MESSAGES: u64 = 50;
/// Fuel for each byte of a conversation: a template may trim, cut and join what is said again and again.
const FUEL_A_BYTE: u64 = 4;
/// Depth of what is open at once: a loop counts 1, a macro that is called 4. A browser's stack of a megabyte ends at three
/// hundred; templates that TRL ships come to some tens.
const DEEPEST: usize = 120;
/// Largest width that a format is given.
const WIDEST: usize = 10_000;

/// Sets what rendering a conversation of so many messages and bytes may use.
pub fn set_limits(environment: &mut Environment, messages: usize, bytes: usize) {
    let messages = (messages as u64).saturating_add(FEWEST_MESSAGES);
    let fuel = messages.saturating_mul(FUEL);
    let fuel = fuel.saturating_add((bytes as u64).saturating_mul(FUEL_A_BYTE));
    environment.set_fuel(Some(fuel));
    environment.set_recursion_limit(DEEPEST);
    environment.set_unknown_method_callback(method);
    template_growth::add_filter(environment, bytes);
}

/// Python's methods. Of those `format` alone makes more than it is given without being charged for it.
fn method(
    state: &mut State,
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    if let ("format", Some(text)) = (name, value.as_str()) {
        narrow_format(text)?;
    }
    pycompat::unknown_method_callback(state, value, name, arguments)
}

fn narrow_format(format: &str) -> Result<(), Error> {
    let numbers = format.split(|letter: char| !letter.is_ascii_digit());
    for digits in numbers.filter(|digits| !digits.is_empty()) {
        let width = digits.parse().unwrap_or(usize::MAX);
        if width > WIDEST {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("the template asks for a width of {digits}; up to {WIDEST} is computed"),
            ));
        }
    }
    Ok(())
}

/// What went wrong in words that say how to go on.
pub fn explained(error: Error) -> Error {
    match error.kind() {
        ErrorKind::OutOfFuel => Error::new(
            ErrorKind::OutOfFuel,
            "it takes more work and memory than templates need; repair it, or write the data without a chat template",
        ),
        _ => error,
    }
}
