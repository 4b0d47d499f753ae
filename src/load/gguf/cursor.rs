//! A position in the first bytes of a GGUF file.

/// Why reading stopped before the end of the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The file has more bytes, and at least this many of its first ones are needed.
    NeedMore(u64),
    /// The file is wrong; the problem for the user.
    Wrong(String),
}

impl From<String> for Stop {
    fn from(problem: String) -> Self {
        Self::Wrong(problem)
    }
}

/// Reads little-endian numbers and strings one after another.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    /// The first bytes of the file.
    bytes: &'a [u8],
    /// Next byte to read.
    position: usize,
    /// Length of the whole file, of which `bytes` may be a part.
    file_length: u64,
}

impl<'a> Cursor<'a> {
    /// Starts at byte `position` of `bytes`, the beginning of a file of `file_length` bytes.
    pub fn new(bytes: &'a [u8], position: usize, file_length: u64) -> Self {
        Self {
            bytes,
            position,
            file_length,
        }
    }

    /// Next byte to read.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The next `count` bytes, which the file calls `what`.
    ///
    /// # Errors
    /// [`Stop::Wrong`] if the file is not that long, [`Stop::NeedMore`] if it is but these bytes are not here.
    pub fn take(&mut self, count: u64, what: &str) -> Result<&'a [u8], Stop> {
        let start = self.position;
        let end = (start as u64)
            .checked_add(count)
            .filter(|&end| end <= self.file_length);
        let Some(end) = end else {
            let length = self.file_length;
            return Err(Stop::Wrong(format!(
                "{what} at byte {start} takes {count} bytes, but the file ends at byte {length}; it may be cut off"
            )));
        };
        if end > self.bytes.len() as u64 {
            return Err(Stop::NeedMore(end));
        }
        // It is at most the length of a slice.
        self.position = end as usize;
        Ok(&self.bytes[start..self.position])
    }

    /// The next `N` bytes as an array.
    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Stop> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64, what)?);
        Ok(array)
    }

    /// An unsigned 32-bit number.
    pub fn u32(&mut self, what: &str) -> Result<u32, Stop> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// An unsigned 64-bit number.
    pub fn u64(&mut self, what: &str) -> Result<u64, Stop> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A string: its length in 64 bits, then that many bytes of UTF-8.
    pub fn string(&mut self, what: &str) -> Result<&'a str, Stop> {
        let start = self.position;
        let length = self.u64(what)?;
        std::str::from_utf8(self.take(length, what)?)
            .map_err(|_| Stop::Wrong(format!("{what} at byte {start} is not UTF-8")))
    }
}
