//! Bytes to text with one kind of line end.

use serde::{Deserialize, Serialize};

use super::error::DataError;

/// Largest file that is read, in bytes. The text, its records and its tokens are in memory together, and a page's
/// memory ends at 4 GiB.
pub const MAXIMUM_FILE_BYTES: usize = 512 << 20;

/// How letters are written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, the lower byte first: "Unicode" in Windows.
    Utf16LittleEndian,
    /// UTF-16, the higher byte first.
    Utf16BigEndian,
    /// Windows' letters of Western Europe, a byte each; ISO 8859-1 is a part of it.
    Windows1252,
}

/// Windows-1252 from 0x80 to 0x9f, where it differs from the first 256 letters of Unicode; five places are empty
/// (<https://encoding.spec.whatwg.org/index-windows-1252.txt>, which keeps those as control characters).
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// `bytes` as text, without byte order mark and with every line end a single `\n`, and the encoding it had: that of its mark,
/// else the `chosen` one, else UTF-8.
///
/// # Errors
/// [`DataError`] if the file is empty, too large or not in its encoding.
pub fn decode(
    file: &str,
    bytes: Vec<u8>,
    chosen: Option<Encoding>,
) -> Result<(String, Encoding), DataError> {
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
    let encoding = marked(&bytes).or(chosen).unwrap_or(Encoding::Utf8);
    let text = match encoding {
        Encoding::Utf8 => utf8(file, bytes)?,
        Encoding::Utf16LittleEndian => utf16(file, &bytes, u16::from_le_bytes)?,
        Encoding::Utf16BigEndian => utf16(file, &bytes, u16::from_be_bytes)?,
        Encoding::Windows1252 => bytes.into_iter().map(windows_1252).collect(),
    };
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    let text = if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    };
    if let Some(place) = text.find('\0') {
        return Err(DataError {
            file: file.to_owned(),
            line: Some(text[..place].matches('\n').count() + 1),
            problem: "has a letter of number 0 there, as no text has; choose UTF-16 as its encoding if it was saved so, or export \
                      it as plain text, CSV or JSON lines"
                .to_owned(),
        });
    }
    if text.trim().is_empty() {
        return Err(DataError::in_file(
            file,
            "is empty; choose a file with some text in it",
        ));
    }
    Ok((text, encoding))
}

/// The encoding that a byte order mark tells.
fn marked(bytes: &[u8]) -> Option<Encoding> {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => Some(Encoding::Utf8),
        [0xff, 0xfe, ..] => Some(Encoding::Utf16LittleEndian),
        [0xfe, 0xff, ..] => Some(Encoding::Utf16BigEndian),
        _ => None,
    }
}

fn utf8(file: &str, bytes: Vec<u8>) -> Result<String, DataError> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line_ends = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n');
        DataError {
            file: file.to_owned(),
            line: Some(line_ends.count() + 1),
            problem: format!(
                "is not UTF-8 text (byte 0x{:02x}); choose its encoding, such as Windows-1252, or save it as UTF-8, or export it as plain text, CSV or JSON lines",
                error.as_bytes()[valid]
            ),
        }
    })
}

fn utf16(file: &str, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, DataError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let letters = char::decode_utf16(pairs.iter().copied().map(unit));
    let text: Result<String, _> = letters.collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => Err(DataError::in_file(
            file,
            "is not UTF-16 text; choose another encoding, or save it again as UTF-8",
        )),
    }
}

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_byte_order_mark_disappear() {
        let text = decode("a.txt", b"\xef\xbb\xbfone\r\ntwo\rthree\n".to_vec(), None);
        assert_eq!(text, Ok(("one\ntwo\nthree\n".to_owned(), Encoding::Utf8)));
    }

    #[test]
    fn encodings_are_marked_or_chosen() {
        let little: Vec<u8> = "é𝄞\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "é𝄞\r\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (mark, bytes, encoding) in [
            ([0xff, 0xfe], little, Encoding::Utf16LittleEndian),
            ([0xfe, 0xff], big, Encoding::Utf16BigEndian),
        ] {
            let expected = Ok(("é𝄞\n".to_owned(), encoding));
            assert_eq!(
                decode("a", [&mark, bytes.as_slice()].concat(), None),
                expected
            );
            assert_eq!(decode("a", bytes.clone(), Some(encoding)), expected);
            assert!(decode("a", bytes[1..].to_vec(), Some(encoding)).is_err());
        }
        let western = decode(
            "a",
            b"caf\xe9 \x80 \x93x\x94".to_vec(),
            Some(Encoding::Windows1252),
        );
        assert_eq!(western.unwrap().0, "café € “x”");
    }

    #[test]
    fn refuses_what_is_not_text() {
        let cases: [(&[u8], &str); 7] = [
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
            (b"\xff\xfea\0b", "a.txt: is not UTF-16 text"),
            // UTF-16 without its mark, and UTF-32.
            (
                b"a\0\n\0b\0",
                "a.txt, line 1: has a letter of number 0 there, as no text has; choose UTF-16",
            ),
            (
                b"\xff\xfe\0\0a\0\0\0",
                "a.txt, line 1: has a letter of number 0",
            ),
        ];
        for (bytes, expected) in cases {
            let message = decode("a.txt", bytes.to_vec(), None)
                .unwrap_err()
                .to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
