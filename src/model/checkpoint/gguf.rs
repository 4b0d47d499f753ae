//! The model in a GGUF file.

use super::{
    Opened,
    matching::{InFile, find_weights},
};
use crate::load::{
    LoadError, Source, Tokenizer,
    gguf::{self, Metadata, Parts},
    source::read_exactly,
    tensor::{StoredTensor, StoredTensors},
};
use crate::model::architecture::{Architecture, Keys};
use crate::packed::dequantise;

/// Divisors of the frequencies of rotary positions.
const DIVISORS: &str = "rope_freqs.weight";
/// More than a head has pairs of channels.
const MOST_DIVISORS: usize = 1 << 16;

/// Reads what those of `sources` with the numbers `files`, which are the parts of one model, say about it.
///
/// # Errors
/// A file that is cut off, lies about sizes, is no model, or holds one that is not supported; the message says which.
pub(super) async fn open<S: Source>(sources: &[S], files: &[usize]) -> Result<Opened, LoadError> {
    let Parts { first, headers } = Parts::read(sources, files).await?;
    let source = &sources[files[first]];
    let metadata = &headers[first].metadata;
    let about_file = |problem: String| LoadError::new(source.name(), problem);
    check_kind(metadata).map_err(about_file)?;
    let architecture = Architecture::of_gguf(metadata).map_err(about_file)?;
    let mut stored = StoredTensors::default();
    for (&file, header) in files.iter().zip(&headers) {
        stored.append(gguf::stored_tensors(&sources[file], file, header)?);
    }
    let readable = &mut stored.readable;
    let divisors = match readable.iter().position(|tensor| tensor.name == DIVISORS) {
        Some(index) => Some(values(sources, &readable.remove(index)).await?),
        None => None,
    };
    let shape_of = |name: &str| {
        let mut named = stored.readable.iter().filter(|tensor| tensor.name == name);
        named.next().map(|tensor| tensor.shape.as_slice())
    };
    let keys = Keys::new(
        architecture.gguf_name,
        metadata,
        &shape_of,
        divisors.as_deref(),
    );
    let config = architecture.read_gguf(&keys).map_err(about_file)?;
    let matched = find_weights(source.name(), &config, stored, |weight| InFile {
        name: &weight.gguf_name,
        arrangement: weight.gguf,
        added: 0.0,
    })?;
    let tokenizer = Tokenizer::from_gguf(source.name(), metadata)?;
    let name = metadata.string("general.name").map_err(about_file)?;
    Ok(Opened {
        name: name.unwrap_or(source.name()).to_owned(),
        config,
        tokenizer,
        notices: matched.notice.into_iter().collect(),
        tensors: matched.found,
    })
}

/// The values of a small tensor.
async fn values<S: Source>(sources: &[S], tensor: &StoredTensor) -> Result<Vec<f32>, LoadError> {
    let source = &sources[tensor.file];
    let elements: usize = tensor.shape.iter().product();
    if elements > MOST_DIVISORS {
        return Err(LoadError::new(
            source.name(),
            format!("tensor {} has {elements} values", tensor.name),
        ));
    }
    let bytes = read_exactly(source, tensor.offset, tensor.bytes as usize).await?;
    let mut values = vec![0.0; elements];
    dequantise(tensor.storage, &bytes, &mut values);
    Ok(values)
}

/// Checks that the file is a model, and not one of the things that are kept beside models.
fn check_kind(metadata: &Metadata) -> Result<(), String> {
    let kind = metadata.string("general.type")?;
    let (what, instead) = if kind == Some("adapter") || metadata.contains("adapter.type") {
        ("a LoRA adapter", "load the model that it belongs to")
    } else if kind == Some("imatrix") || metadata.contains("imatrix.chunk_count") {
        (
            "an importance matrix, which says how to quantise a model,",
            "load the model",
        )
    } else if kind == Some("mmproj") {
        (
            "an encoder of pictures or sounds",
            "load the language model that it belongs to",
        )
    } else {
        return Ok(());
    };
    Err(format!("it is {what} and not a model; {instead}"))
}
