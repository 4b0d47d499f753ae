//! Bytes to text with one kind of line end.

use super::error::DataError;

/// Largest file that is read, in bytes. The text, its records and its tokens are in memory together, and a page's
/// memory ends at 4 GiB.
pub const MAXIMUM_FILE_BYTES: usize = 512 << 20;

/// `bytes` as text: UTF-8, without byte order mark, every line end a single `\n`.
///
/// # Errors
/// [`DataError`] if the file is empty, too large or not UTF-8.
pub fn decode(file: &str, bytes: Vec<u8>) -> Result<String, DataError> {
    if bytes.len() > MAXIMUM_FILE_BYTES {
        return Err(DataError::in_file(
            file,
            format!(
                "has {} MiB, more than the {} MiB that fit beside a model; use a part of it",
                bytes.len() >> 20,
                MAXIMUM_FILE_BYTES >> 20
            ),
        ));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(DataError::in_file(
            file,
            "is UTF-16 text; save it again as UTF-8",
        ));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line_ends = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n');
        DataError {
            file: file.to_owned(),
            line: Some(line_ends.count() + 1),
            problem: format!(
                "is not UTF-8 text (byte 0x{:02x}); save it as UTF-8, or export it as plain text, CSV or JSON lines",
                error.as_bytes()[valid]
            ),
        }
    })?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    let text = if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    };
    if text.trim().is_empty() {
        return Err(DataError::in_file(
            file,
            "is empty; choose a file with some text in it",
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_byte_order_mark_disappear() {
        let text = decode("a.txt", b"\xef\xbb\xbfone\r\ntwo\rthree\n".to_vec());
        assert_eq!(text.as_deref(), Ok("one\ntwo\nthree\n"));
    }

    #[test]
    fn refuses_what_is_not_text() {
        let cases: [(&[u8], &str); 5] = [
            (b"", "a.txt: is empty"),
            (b"\xef\xbb\xbf \r\n\t\n", "a.txt: is empty"),
            (
                b"one\ntwo\ncaf\xe9\n",
                "a.txt, line 3: is not UTF-8 text (byte 0xe9)",
            ),
            (
                b"cut \xe2\x82",
                "a.txt, line 1: is not UTF-8 text (byte 0xe2)",
            ),
            (b"\xff\xfea\0", "a.txt: is UTF-16 text"),
        ];
        for (bytes, expected) in cases {
            let message = decode("a.txt", bytes.to_vec()).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
