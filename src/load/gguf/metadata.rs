//! The key-value part of a GGUF header.

use std::collections::HashMap;

use super::cursor::{Cursor, Stop};

/// Arrays of arrays are allowed; no known file nests deeper than one.
const DEEPEST_ARRAY: usize = 4;

/// Where values lie in the header's bytes, by key.
pub type Entries = HashMap<String, Entry>;

/// Type and position of one value.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    kind: Kind,
    position: usize,
}

/// The value types of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unsigned(u64),
    Signed(u64),
    Float(u64),
    Bool,
    String,
    Array,
}

impl Kind {
    /// The type with this number in the file; the fields of numbers are their sizes in bytes.
    fn from_number(number: u32) -> Result<Self, String> {
        Ok(match number {
            0 => Self::Unsigned(1),
            1 => Self::Signed(1),
            2 => Self::Unsigned(2),
            3 => Self::Signed(2),
            4 => Self::Unsigned(4),
            5 => Self::Signed(4),
            6 => Self::Float(4),
            7 => Self::Bool,
            8 => Self::String,
            9 => Self::Array,
            10 => Self::Unsigned(8),
            11 => Self::Signed(8),
            12 => Self::Float(8),
            _ => return Err(format!("a metadata value has the unknown type {number}")),
        })
    }

    /// Bytes of a value, or `None` if it depends on the value.
    fn size(self) -> Option<u64> {
        match self {
            Self::Unsigned(size) | Self::Signed(size) | Self::Float(size) => Some(size),
            Self::Bool => Some(1),
            Self::String | Self::Array => None,
        }
    }
}

/// Finds `count` entries from the cursor's position on, without decoding their values.
pub fn parse(cursor: &mut Cursor<'_>, count: u64) -> Result<Entries, Stop> {
    let mut entries = Entries::new();
    for _ in 0..count {
        let key = cursor.string("a metadata key")?;
        let kind = Kind::from_number(cursor.u32("a metadata type")?)?;
        let position = cursor.position();
        skip(cursor, kind, key, 0)?;
        let entry = Entry { kind, position };
        if entries.insert(key.to_owned(), entry).is_some() {
            return Err(Stop::Wrong(format!("metadata key {key} occurs twice")));
        }
    }
    Ok(entries)
}

/// Moves behind a value of type `kind`.
fn skip(cursor: &mut Cursor<'_>, kind: Kind, key: &str, depth: usize) -> Result<(), Stop> {
    if let Some(size) = kind.size() {
        return cursor.take(size, key).map(drop);
    }
    if kind == Kind::String {
        let length = cursor.u64(key)?;
        return cursor.take(length, key).map(drop);
    }
    if depth == DEEPEST_ARRAY {
        return Err(Stop::Wrong(format!("{key} has arrays in arrays too deep")));
    }
    let element = Kind::from_number(cursor.u32(key)?)?;
    let count = cursor.u64(key)?;
    match element.size() {
        // An overflow saturates, and no file is that long.
        Some(size) => cursor.take(count.saturating_mul(size), key).map(drop),
        None => {
            // Each element takes at least 8 bytes, so a lying count ends with the file.
            for _ in 0..count {
                skip(cursor, element, key, depth + 1)?;
            }
            Ok(())
        }
    }
}

/// Metadata of a GGUF file.
///
/// Values stay packed in the header's bytes until they are asked for: an array of a hundred thousand tokens is not
/// held twice.
#[derive(Debug)]
pub struct Metadata {
    header: Vec<u8>,
    entries: Entries,
}

impl Metadata {
    /// Metadata with these entries, which were found in `header`.
    pub fn new(header: Vec<u8>, entries: Entries) -> Self {
        Self { header, entries }
    }

    /// Whether there is a value for `key`.
    pub fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The integer `key`, if it is there.
    ///
    /// # Errors
    /// The problem in words if it is no integer, or negative.
    pub fn unsigned(&self, key: &str) -> Result<Option<u64>, String> {
        let Some((kind, mut cursor)) = self.find(key) else {
            return Ok(None);
        };
        let integer = integer(&mut cursor, kind, key)?;
        match u64::try_from(integer) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(format!("{key} is {integer}; it must not be negative")),
        }
    }

    /// The integer `key`, or that of which the array `key` has one a layer, if it is there.
    ///
    /// # Errors
    /// As [`Metadata::unsigned`], or elements that differ.
    pub fn uniform(&self, key: &str) -> Result<Option<u64>, String> {
        let Some((Kind::Array, _)) = self.find(key) else {
            return self.unsigned(key);
        };
        let Some((kind, count, mut cursor)) = self.array(key)? else {
            return Ok(None);
        };
        let mut same = None;
        for _ in 0..count {
            let element = integer(&mut cursor, kind, key)?;
            if *same.get_or_insert(element) != element {
                return Err(format!(
                    "{key} differs between layers, which is not supported; use a model in which it does not"
                ));
            }
        }
        match same.map(u64::try_from) {
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(format!("{key} holds negative numbers")),
            None => Ok(None),
        }
    }

    /// The number `key`, if it is there.
    ///
    /// # Errors
    /// The problem in words if it is no number.
    pub fn float(&self, key: &str) -> Result<Option<f64>, String> {
        let Some((kind, mut cursor)) = self.find(key) else {
            return Ok(None);
        };
        float(&mut cursor, kind, key).map(Some)
    }

    /// The truth value `key`, if it is there.
    ///
    /// # Errors
    /// The problem in words if it is none.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>, String> {
        match self.find(key) {
            None => Ok(None),
            Some((Kind::Bool, mut cursor)) => Ok(Some(bytes(&mut cursor, 1, key)? != [0])),
            Some(_) => Err(format!("{key} is not true or false")),
        }
    }

    /// The string `key`, if it is there.
    ///
    /// # Errors
    /// The problem in words if it is no string or not UTF-8.
    pub fn string(&self, key: &str) -> Result<Option<&str>, String> {
        match self.find(key) {
            None => Ok(None),
            Some((Kind::String, mut cursor)) => string(&mut cursor, key).map(Some),
            Some(_) => Err(format!("{key} is not a string")),
        }
    }

    /// The array of strings `key`, if it is there.
    ///
    /// # Errors
    /// The problem in words if it is no array of strings, or one of them is not UTF-8.
    pub fn strings(&self, key: &str) -> Result<Option<Vec<&str>>, String> {
        match self.array(key)? {
            None => Ok(None),
            Some((Kind::String, count, mut cursor)) => (0..count)
                .map(|_| string(&mut cursor, key))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(format!("{key} is not an array of strings")),
        }
    }

    /// The array of `count` integers `key`, if it is there.
    ///
    /// # Errors
    /// The problem in words if it is no array of integers, or has another length.
    pub fn integers(&self, key: &str, count: usize) -> Result<Option<Vec<i64>>, String> {
        let read = |cursor: &mut Cursor<'_>, kind| {
            let integer = integer(cursor, kind, key)?;
            i64::try_from(integer).map_err(|_| format!("{key} holds {integer}, which is absurd"))
        };
        self.elements(key, count, read)
    }

    /// The array of `count` numbers `key`, if it is there.
    ///
    /// # Errors
    /// The problem in words if it is no array of floating-point numbers, or has another length.
    pub fn floats(&self, key: &str, count: usize) -> Result<Option<Vec<f64>>, String> {
        self.elements(key, count, |cursor, kind| float(cursor, kind, key))
    }

    /// Reads an array whose length is known from elsewhere, so that it is not decoded if it is absurdly long.
    fn elements<'a, T>(
        &'a self,
        key: &str,
        expected: usize,
        mut read: impl FnMut(&mut Cursor<'a>, Kind) -> Result<T, String>,
    ) -> Result<Option<Vec<T>>, String> {
        let Some((kind, count, mut cursor)) = self.array(key)? else {
            return Ok(None);
        };
        if count != expected as u64 {
            return Err(format!(
                "{key} has {count} elements; it must have {expected}"
            ));
        }
        let elements = (0..count).map(|_| read(&mut cursor, kind));
        elements.collect::<Result<_, _>>().map(Some)
    }

    fn find(&self, key: &str) -> Option<(Kind, Cursor<'_>)> {
        let entry = self.entries.get(key)?;
        Some((entry.kind, self.cursor(entry.position)))
    }

    fn cursor(&self, position: usize) -> Cursor<'_> {
        Cursor::new(&self.header, position, self.header.len() as u64)
    }

    /// Type of the elements, their number, and the position of the first one.
    fn array(&self, key: &str) -> Result<Option<(Kind, u64, Cursor<'_>)>, String> {
        match self.find(key) {
            None => Ok(None),
            Some((Kind::Array, mut cursor)) => {
                let kind = cursor.u32(key).map_err(problem)?;
                let count = cursor.u64(key).map_err(problem)?;
                Ok(Some((Kind::from_number(kind)?, count, cursor)))
            }
            Some(_) => Err(format!("{key} is not an array")),
        }
    }
}

/// The header was read to its end before, so more bytes than it has are never needed.
fn problem(stop: Stop) -> String {
    match stop {
        Stop::Wrong(problem) => problem,
        Stop::NeedMore(_) => "its header is cut off".to_owned(),
    }
}

fn bytes<'a>(cursor: &mut Cursor<'a>, count: u64, key: &str) -> Result<&'a [u8], String> {
    cursor.take(count, key).map_err(problem)
}

fn string<'a>(cursor: &mut Cursor<'a>, key: &str) -> Result<&'a str, String> {
    cursor.string(key).map_err(problem)
}

/// Any integer of the format fits in 128 bits with its sign.
fn integer(cursor: &mut Cursor<'_>, kind: Kind, key: &str) -> Result<i128, String> {
    let (size, is_signed) = match kind {
        Kind::Unsigned(size) => (size, false),
        Kind::Signed(size) => (size, true),
        _ => return Err(format!("{key} is not an integer")),
    };
    let bytes = bytes(cursor, size, key)?;
    let is_negative = is_signed && bytes.last().is_some_and(|last| last & 0x80 != 0);
    let mut wide = [if is_negative { 0xFF } else { 0 }; 16];
    wide[..bytes.len()].copy_from_slice(bytes);
    Ok(i128::from_le_bytes(wide))
}

fn float(cursor: &mut Cursor<'_>, kind: Kind, key: &str) -> Result<f64, String> {
    let Kind::Float(size) = kind else {
        return Err(format!("{key} is not a floating-point number"));
    };
    match *bytes(cursor, size, key)? {
        [a, b, c, d] => {
            let narrow = f32::from_le_bytes([a, b, c, d]);
            // Through the shortest decimal: 1e-5 in single precision stands for 1e-5, not for 9.99999974737875e-6.
            Ok(narrow.to_string().parse().unwrap_or(f64::from(narrow)))
        }
        [a, b, c, d, e, f, g, h] => Ok(f64::from_le_bytes([a, b, c, d, e, f, g, h])),
        _ => Err(format!("{key} is not a floating-point number")),
    }
}
