//! Where the bytes of a model file come from.

use super::error::LoadError;

/// Random access to a file's bytes, wherever they are: in memory, on disk, or behind a browser's `File`.
///
/// Loaders read a header and then one tensor at a time, so that a file is never whole in memory.
#[allow(async_fn_in_trait, reason = "everything runs on one thread")]
pub trait Source {
    /// File name without folders, as the user knows it; errors begin with it.
    fn name(&self) -> &str;

    /// Length in bytes.
    fn len(&self) -> u64;

    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `length` bytes from `offset`.
    ///
    /// # Errors
    /// [`LoadError`] if the range leaves the file or the read fails.
    async fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, LoadError>;
}

/// What a file of Git LFS begins with that was downloaded without the contents it stands for.
pub const LFS_POINTER: &[u8] = b"version https://git-lfs";

/// What is said of such a file.
pub const IS_LFS_POINTER: &str = "it is a pointer of Git LFS and not the file itself; run git lfs pull in its folder, or download the file from the hub's page";

/// Checks that `length` bytes from `offset` lie inside a file of `file_length` bytes.
///
/// # Errors
/// [`LoadError`] about the file `name` if they do not, or if the end does not fit in 64 bits.
pub fn check_range(
    name: &str,
    file_length: u64,
    offset: u64,
    length: usize,
) -> Result<(), LoadError> {
    match offset.checked_add(length as u64) {
        Some(end) if end <= file_length => Ok(()),
        _ => Err(LoadError::new(
            name,
            format!(
                "{length} bytes from byte {offset} are not all inside the file, which has {file_length} bytes; \
                 it may be cut off"
            ),
        )),
    }
}

/// Reads a range and checks that the source really returned that many bytes.
///
/// # Errors
/// Those of [`Source::read`], and a source that returns another number of bytes than asked for.
pub async fn read_exactly<S: Source>(
    source: &S,
    offset: u64,
    length: usize,
) -> Result<Vec<u8>, LoadError> {
    check_range(source.name(), source.len(), offset, length)?;
    let bytes = source.read(offset, length).await?;
    if bytes.len() == length {
        Ok(bytes)
    } else {
        let received = bytes.len();
        Err(LoadError::new(
            source.name(),
            format!("{length} bytes were asked for and {received} were read"),
        ))
    }
}

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a small text file as a whole, without the byte order mark that some editors put before it.
///
/// # Errors
/// Those of [`Source::read`], a pointer of Git LFS, and a file longer than `limit` bytes, which is then not read.
pub async fn read_whole<S: Source>(source: &S, limit: u64) -> Result<Vec<u8>, LoadError> {
    let length = source.len();
    match usize::try_from(length) {
        Ok(bytes) if length <= limit => {
            let mut bytes = read_exactly(source, 0, bytes).await?;
            if bytes.starts_with(LFS_POINTER) {
                return Err(LoadError::new(source.name(), IS_LFS_POINTER));
            }
            if bytes.starts_with(BYTE_ORDER_MARK) {
                bytes.drain(..BYTE_ORDER_MARK.len());
            }
            Ok(bytes)
        }
        _ => Err(LoadError::new(
            source.name(),
            format!("it has {length} bytes; such a file has at most {limit}"),
        )),
    }
}

/// A file that is already in memory.
#[derive(Clone)]
pub struct MemorySource {
    name: String,
    bytes: Vec<u8>,
}

impl MemorySource {
    /// The file `name` with these contents.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
        }
    }
}

impl std::fmt::Debug for MemorySource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "MemorySource({}, {} bytes)",
            self.name,
            self.bytes.len()
        )
    }
}

impl Source for MemorySource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    async fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, LoadError> {
        check_range(&self.name, self.len(), offset, length)?;
        // The range lies inside the vector, so its start fits in `usize`.
        let start = offset as usize;
        Ok(self.bytes[start..start + length].to_vec())
    }
}

/// A file on disk.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug)]
pub struct FileSource {
    name: String,
    length: u64,
    file: std::fs::File,
}

#[cfg(not(target_arch = "wasm32"))]
impl FileSource {
    /// Opens the file at `path` for reading.
    ///
    /// # Errors
    /// [`LoadError`] with the operating system's reason, or if `path` is a folder.
    pub fn open(path: impl AsRef<std::path::Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        let failed = |error: std::io::Error| LoadError::new(&name, error.to_string());
        let file = std::fs::File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if !about.is_file() {
            return Err(LoadError::new(name, "it is not a file"));
        }
        Ok(Self {
            name,
            length: about.len(),
            file,
        })
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        self.length
    }

    async fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, LoadError> {
        use std::io::{Read, Seek, SeekFrom};
        check_range(&self.name, self.length, offset, length)?;
        let mut bytes = vec![0; length];
        // Seeking needs a mutable handle, and a shared reference to a file is one.
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|error| LoadError::new(&self.name, error.to_string()))?;
        Ok(bytes)
    }
}
