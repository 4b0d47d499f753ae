//! Everything before the tensor data.

use super::{
    MAGIC,
    cursor::{Cursor, Stop},
    metadata::{self, Metadata},
};
use crate::load::{
    error::LoadError,
    quoted,
    source::{self, Source},
};

/// Bytes read at first: more than most headers without a tokenizer, less than most with one.
const FIRST_READ: u64 = 1 << 20;

/// Headers hold the tokenizer; 256,000 tokens with their merges take about 15 MB.
const LONGEST_HEADER: u64 = 64 << 20;

/// More tensors or metadata entries than any model of this kind has.
const MOST_ENTRIES: u64 = 1 << 16;

/// The alignment of tensor data where the file does not say another.
const DEFAULT_ALIGNMENT: u64 = 32;

/// A tensor as the header declares it; nothing is checked but that it could be read.
#[derive(Debug, Clone)]
pub struct DeclaredTensor {
    /// Name in the file.
    pub name: String,
    /// Dimensions in torch's order; the file has them reversed.
    pub dimensions: Vec<u64>,
    /// Number of the type.
    pub storage: u32,
    /// Position relative to the start of the data.
    pub offset: u64,
}

/// The contents of a header.
#[derive(Debug)]
pub struct Header {
    /// Metadata entries.
    pub metadata: Metadata,
    /// Tensors in the order of the file.
    pub tensors: Vec<DeclaredTensor>,
    /// Offsets are multiples of this many bytes.
    pub alignment: u64,
    /// Where the data starts.
    pub data_start: u64,
}

/// Reads the header of `source`, and no more than twice its length.
///
/// # Errors
/// A file that is no GGUF file, of another version, cut off, or whose header is absurdly long.
pub async fn read<S: Source>(source: &S) -> Result<Header, LoadError> {
    let wrong = |problem: String| LoadError::new(source.name(), problem);
    let limit = source.len().min(LONGEST_HEADER);
    let mut bytes = Vec::new();
    let mut wanted = FIRST_READ;
    loop {
        // At most `LONGEST_HEADER`, so it fits in `usize`.
        let missing = wanted.min(limit) as usize - bytes.len();
        let more = source::read_exactly(source, bytes.len() as u64, missing).await?;
        bytes.extend_from_slice(&more);
        match parse(&bytes, source.len()) {
            Ok(parsed) => return parsed.finish(bytes).map_err(wrong),
            Err(Stop::Wrong(problem)) => return Err(wrong(problem)),
            Err(Stop::NeedMore(total)) if total > limit => {
                return Err(wrong(format!(
                    "its header is longer than {LONGEST_HEADER} bytes"
                )));
            }
            Err(Stop::NeedMore(total)) => wanted = total.max(2 * bytes.len() as u64),
        }
    }
}

/// A header whose metadata entries are still positions in its bytes.
struct Parsed {
    entries: metadata::Entries,
    tensors: Vec<DeclaredTensor>,
    end: usize,
}

impl Parsed {
    /// Gives the header its bytes and finds where the data starts.
    fn finish(self, mut bytes: Vec<u8>) -> Result<Header, String> {
        bytes.truncate(self.end);
        let metadata = Metadata::new(bytes, self.entries);
        let alignment = metadata
            .unsigned("general.alignment")?
            .unwrap_or(DEFAULT_ALIGNMENT);
        if !alignment.is_power_of_two() || alignment > LONGEST_HEADER {
            return Err(format!(
                "general.alignment is {alignment}; it must be a power of two and not absurdly large"
            ));
        }
        Ok(Header {
            metadata,
            tensors: self.tensors,
            alignment,
            // Neither is above `LONGEST_HEADER`, so rounding up does not overflow.
            data_start: (self.end as u64).next_multiple_of(alignment),
        })
    }
}

fn parse(bytes: &[u8], file_length: u64) -> Result<Parsed, Stop> {
    let mut cursor = Cursor::new(bytes, 0, file_length);
    let magic = cursor.take(4, "the magic")?;
    if source::LFS_POINTER.starts_with(magic) {
        return Err(Stop::Wrong(source::IS_LFS_POINTER.to_owned()));
    }
    if magic != MAGIC {
        return Err(Stop::Wrong(
            "it is not a GGUF file: it does not begin with the letters GGUF".to_owned(),
        ));
    }
    match cursor.u32("the version")? {
        2 | 3 => {}
        version if matches!(version.swap_bytes(), 1..=3) => {
            return Err(Stop::Wrong(
                "it is a big-endian GGUF file, which is not supported; use a little-endian one"
                    .to_owned(),
            ));
        }
        version => {
            return Err(Stop::Wrong(format!(
                "it is a GGUF file of version {version}; versions 2 and 3 are supported"
            )));
        }
    }
    let tensor_count = count(&mut cursor, "tensors")?;
    let entry_count = count(&mut cursor, "metadata entries")?;
    let entries = metadata::parse(&mut cursor, entry_count)?;
    let mut tensors = Vec::new();
    for _ in 0..tensor_count {
        tensors.push(declared_tensor(&mut cursor)?);
    }
    Ok(Parsed {
        entries,
        tensors,
        end: cursor.position(),
    })
}

/// A number of things, which no honest file has more than [`MOST_ENTRIES`] of.
fn count(cursor: &mut Cursor<'_>, what: &str) -> Result<u64, Stop> {
    match cursor.u64("a count")? {
        count if count <= MOST_ENTRIES => Ok(count),
        count => Err(Stop::Wrong(format!(
            "it claims to have {count} {what}; at most {MOST_ENTRIES} are accepted"
        ))),
    }
}

fn declared_tensor(cursor: &mut Cursor<'_>) -> Result<DeclaredTensor, Stop> {
    let name = cursor.string("a tensor name")?.to_owned();
    let dimension_count = cursor.u32("a number of dimensions")?;
    if !(1..=4).contains(&dimension_count) {
        return Err(Stop::Wrong(format!(
            "tensor {} has {dimension_count} dimensions; 1 to 4 are accepted",
            quoted::text(&name)
        )));
    }
    let mut dimensions = Vec::new();
    for _ in 0..dimension_count {
        dimensions.push(cursor.u64("a dimension")?);
    }
    dimensions.reverse();
    Ok(DeclaredTensor {
        name,
        dimensions,
        storage: cursor.u32("a tensor type")?,
        offset: cursor.u64("a tensor offset")?,
    })
}
