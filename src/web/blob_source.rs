//! Files of the browser as sources of a checkpoint.

use js_sys::Uint8Array;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

use crate::load::{LoadError, Source, source::check_range};

/// A file of the browser, read in slices.
pub struct BlobSource {
    file: File,
    name: String,
}

impl BlobSource {
    /// A file that the user chose.
    pub fn new(file: File) -> Self {
        let name = file.name();
        Self { file, name }
    }
}

impl Source for BlobSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        self.file.size() as u64
    }

    async fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, LoadError> {
        check_range(&self.name, self.len(), offset, length)?;
        let wrong = |problem: &str| LoadError::new(&self.name, problem);
        let end = offset as f64 + length as f64;
        let slice = self
            .file
            .slice_with_f64_and_f64(offset as f64, end)
            .map_err(|_| wrong("the browser cannot read this file; choose it again"))?;
        let buffer = JsFuture::from(slice.array_buffer())
            .await
            .map_err(|_| wrong("the file changed or went away; choose it again"))?;
        Ok(Uint8Array::new(&buffer).to_vec())
    }
}
