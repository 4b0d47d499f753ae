//! The model in a GGUF file.

use super::{Opened, matching::find_weights};
use crate::load::{
    LoadError, Source, Tokenizer,
    gguf::{self, Metadata},
};
use crate::model::architecture::{Architecture, Keys};

/// Reads what `source`, file number `file` of the checkpoint, says about its model.
///
/// # Errors
/// A file that is cut off, lies about sizes, or holds a model that is not supported; the message says which.
pub(super) async fn open<S: Source>(source: &S, file: usize) -> Result<Opened, LoadError> {
    let header = gguf::read(source).await?;
    let metadata = &header.metadata;
    let about_file = |problem: String| LoadError::new(source.name(), problem);
    let architecture = Architecture::of_gguf(metadata).map_err(about_file)?;
    check_whole(metadata).map_err(about_file)?;
    let stored = gguf::stored_tensors(source, file, &header)?;
    let shape_of = |name: &str| {
        let mut named = stored.iter().filter(|tensor| tensor.name == name);
        named.next().map(|tensor| tensor.shape.as_slice())
    };
    let keys = Keys::new(architecture.gguf_name, metadata, &shape_of);
    let config = architecture.read_gguf(&keys).map_err(about_file)?;
    let tensors = find_weights(source.name(), &config, stored, |weight| {
        (&weight.gguf_name, weight.gguf)
    })?;
    let tokenizer = Tokenizer::from_gguf(source.name(), metadata)?;
    let name = metadata.string("general.name").map_err(about_file)?;
    Ok(Opened {
        name: name.unwrap_or(source.name()).to_owned(),
        config,
        tokenizer,
        tensors,
    })
}

/// Checks that the file is no part of a model.
fn check_whole(metadata: &Metadata) -> Result<(), String> {
    match metadata.unsigned("split.count")? {
        Some(count @ 2..) => Err(format!(
            "it is one part of {count}, which is not supported; merge the parts with llama-gguf-split"
        )),
        _ => Ok(()),
    }
}
