//! The date that chat templates write.
//!
//! Some templates write today's. The same conversation would then be another text tomorrow, and a resumed run would train on
//! other rows than it began with. So it is always the same day here, the one that Llama 3.2's template writes where there is
//! no clock: 26 July 2024, a Friday, at midnight.

use minijinja::{Error, ErrorKind};

/// What the user is told of a template that asks for the date.
pub const NOTICE: &str = "The chat template writes today's date; here it always writes 26 July 2024, so that a row is the same text on every day.";

/// Whether a template asks for the date.
pub fn is_written_by(template: &str) -> bool {
    template.contains("strftime_now")
}

/// The date in a format of `strftime`.
///
/// # Errors
/// A format that is not known.
pub fn strftime_now(format: &str) -> Result<String, Error> {
    let mut date = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            date.push(letter);
            continue;
        }
        let mut code = letters.next();
        // No leading zeros, which none of the numbers but those of the time have.
        let short = code == Some('-');
        if short {
            code = letters.next();
        }
        date.push_str(match (code, short) {
            (Some('Y'), _) => "2024",
            (Some('y'), _) => "24",
            (Some('m'), false) => "07",
            (Some('m'), true) => "7",
            (Some('B'), _) => "July",
            (Some('b' | 'h'), _) => "Jul",
            (Some('d' | 'e'), _) => "26",
            (Some('j'), _) => "208",
            (Some('A'), _) => "Friday",
            (Some('a'), _) => "Fri",
            (Some('F'), _) => "2024-07-26",
            (Some('D' | 'x'), _) => "07/26/24",
            (Some('H' | 'M' | 'S'), false) => "00",
            (Some('H' | 'M' | 'S'), true) => "0",
            (Some('I'), _) => "12",
            (Some('p'), _) => "AM",
            (Some('R'), _) => "00:00",
            (Some('T' | 'X'), _) => "00:00:00",
            (Some('%'), false) => "%",
            _ => {
                let problem =
                    format!("it writes today's date as {format:?}, and this form is not supported");
                return Err(Error::new(ErrorKind::InvalidOperation, problem));
            }
        });
    }
    Ok(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected: datetime(2024, 7, 26).strftime of CPython 3.11.
    #[test]
    fn it_is_what_python_writes_of_that_day() {
        for (format, expected) in [
            ("%d %b %Y", "26 Jul 2024"),
            ("%Y-%m-%d", "2024-07-26"),
            ("%A, %B %-d, %Y; day %j", "Friday, July 26, 2024; day 208"),
            ("%I:%M %p on %-m/%e/%y, 100%%", "12:00 AM on 7/26/24, 100%"),
            (
                "%H:%M:%S %T %R %F %D",
                "00:00:00 00:00:00 00:00 2024-07-26 07/26/24",
            ),
        ] {
            assert_eq!(strftime_now(format).unwrap(), expected);
        }
        for format in ["%Q", "%", "%-"] {
            assert!(strftime_now(format).is_err(), "{format}");
        }
    }
}
