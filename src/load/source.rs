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
