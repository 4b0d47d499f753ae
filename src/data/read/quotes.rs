//! Quotes that never close, which a CSV reader takes for one field up to the end of the file.

/// The line, counted from 1, in which a quoted field begins that no quote ends. A quote begins a field only where the field
/// begins, and two of them inside are one letter (RFC 4180).
pub(super) fn unclosed(text: &str, separator: u8) -> Option<usize> {
    let mut line = 1;
    let mut opened = None;
    let mut begins_field = true;
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        line += usize::from(byte == b'\n');
        if opened.is_some() {
            if byte == b'"' && bytes.next_if_eq(&b'"').is_none() {
                opened = None;
            }
            continue;
        }
        if byte == b'"' && begins_field {
            opened = Some(line);
        }
        begins_field = byte == separator || byte == b'\n';
    }
    opened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_where_the_quote_opens() {
        let cases = [
            ("a,b\n\"c\",d\n", None),
            ("a,b\n\"c \"\"d\"\"\ne\",f\n", None),
            ("a,b\nc \"d,e\n", None),
            ("a,b\n\"c,d\ne,f\n", Some(2)),
            ("a,b\nc,\"d\ne,f", Some(2)),
            ("\"a\"\"", Some(1)),
        ];
        for (text, expected) in cases {
            assert_eq!(unclosed(text, b','), expected, "{text}");
        }
    }
}
