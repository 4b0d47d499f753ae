//! A file of data, whatever it is kept in.

use std::path::Path;

use anyhow::{Context, Result};

use super::parquet;

/// The name of a file, and its text; rows of a parquet file are JSON lines.
///
/// # Errors
/// A file that cannot be read.
pub fn read(path: &Path) -> Result<(String, Vec<u8>)> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let text = match parquet::is_parquet(&bytes) {
        true => parquet::json_lines(path)?,
        false => bytes,
    };
    Ok((name.into_owned(), text))
}
