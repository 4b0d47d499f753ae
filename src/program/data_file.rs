//! A file of data, whatever it is kept in.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};

use super::parquet;

/// The name of a file, and its text; rows of a parquet file are JSON lines.
///
/// # Errors
/// A file that cannot be read.
pub fn read(path: &Path) -> Result<(String, Vec<u8>)> {
    let context = || path.display().to_string();
    let mut file = File::open(path).with_context(context)?;
    let mut text = Vec::new();
    let beginning = parquet::MAGIC.len() as u64;
    let mut first = file.by_ref().take(beginning);
    first.read_to_end(&mut text).with_context(context)?;
    if text == parquet::MAGIC {
        text = parquet::json_lines(path, file)?;
    } else {
        file.read_to_end(&mut text).with_context(context)?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok((name.into_owned(), text))
}
