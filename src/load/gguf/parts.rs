//! A model that is in several GGUF files, as llama.cpp's `llama-gguf-split` writes them.

use super::{Header, Metadata, read};
use crate::load::{error::LoadError, source::Source};

/// The headers of all files of a model.
pub(crate) struct Parts {
    /// Which of them has the metadata; the others say only which part they are.
    pub first: usize,
    /// One a file, in the order in which the files were given.
    pub headers: Vec<Header>,
}

impl Parts {
    /// Reads the headers of those of `sources` with the numbers `files`, which is at least one.
    ///
    /// # Errors
    /// A header that is wrong, files that are not parts of one model, or a part that is missing or there twice.
    pub async fn read<S: Source>(sources: &[S], files: &[usize]) -> Result<Self, LoadError> {
        let mut headers = Vec::with_capacity(files.len());
        for &file in files {
            headers.push(read(&sources[file]).await?);
        }
        let name = |i: usize| sources[files[i]].name();
        let mut parts = Vec::with_capacity(files.len());
        for (i, header) in headers.iter().enumerate() {
            let part = Part::of(&header.metadata);
            parts.push(part.map_err(|problem| LoadError::new(name(i), problem))?);
        }
        let count = parts[0].count;
        for (i, part) in parts.iter().enumerate().skip(1) {
            let wrong = |problem: String| Err(LoadError::new(name(i), problem));
            if count <= 1 || part.count != count {
                return wrong(format!(
                    "it is a second GGUF file beside {}, and they are not parts of one model; choose one",
                    name(0)
                ));
            }
            if let Some(twin) = parts[..i]
                .iter()
                .position(|other| other.number == part.number)
            {
                return wrong(format!(
                    "it is part {} of {count}, and so is {}; give each part once",
                    part.number + 1,
                    name(twin)
                ));
            }
        }
        let position = |number: u64| parts.iter().position(|part| part.number == number);
        let missing = (0..count.max(1)).find(|&number| position(number).is_none());
        if let Some(missing) = missing {
            return Err(LoadError::new(
                name(0),
                format!(
                    "it is part {} of {count}, and part {} is missing; choose all parts together",
                    parts[0].number + 1,
                    missing + 1
                ),
            ));
        }
        let tensors: usize = headers.iter().map(|header| header.tensors.len()).sum();
        let first = position(0).unwrap_or_default();
        match parts[first].tensors {
            Some(declared) if declared != tensors as u64 => Err(LoadError::new(
                name(first),
                format!(
                    "its {count} parts should hold {declared} tensors and hold {tensors}; they are not all of one model"
                ),
            )),
            _ => Ok(Self { first, headers }),
        }
    }
}

/// What a file says about its place among others.
struct Part {
    /// Counted from 0.
    number: u64,
    /// How many there are; a whole model is one.
    count: u64,
    /// Tensors of all parts together.
    tensors: Option<u64>,
}

impl Part {
    fn of(metadata: &Metadata) -> Result<Self, String> {
        let count = metadata.unsigned("split.count")?.unwrap_or(1);
        if count <= 1 {
            return Ok(Self {
                number: 0,
                count: 1,
                tensors: None,
            });
        }
        let Some(number) = metadata.unsigned("split.no")? else {
            return Err(format!(
                "it is one of {count} parts, but split.no is missing; download all parts again"
            ));
        };
        if number >= count {
            return Err(format!("split.no is {number}, and there are {count} parts"));
        }
        Ok(Self {
            number,
            count,
            tensors: metadata.unsigned("split.tensors.count")?,
        })
    }
}
