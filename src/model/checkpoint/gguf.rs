//! The model in a GGUF file.

use super::{
    Opened,
    matching::{InFile, find_weights},
};
use crate::load::{
    LoadError, Source, Tokenizer,
    gguf::{self, Metadata},
    source::read_exactly,
    tensor::StoredTensor,
};
use crate::model::architecture::{Architecture, Keys};
use crate::packed::dequantise;

/// Divisors of the frequencies of rotary positions.
const DIVISORS: &str = "rope_freqs.weight";
/// More than a head has pairs of channels.
const MOST_DIVISORS: usize = 1 << 16;

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
    let mut stored = gguf::stored_tensors(source, file, &header)?;
    let divisors = match stored.iter().position(|tensor| tensor.name == DIVISORS) {
        Some(index) => Some(values(source, &stored.remove(index)).await?),
        None => None,
    };
    let shape_of = |name: &str| {
        let mut named = stored.iter().filter(|tensor| tensor.name == name);
        named.next().map(|tensor| tensor.shape.as_slice())
    };
    let keys = Keys::new(
        architecture.gguf_name,
        metadata,
        &shape_of,
        divisors.as_deref(),
    );
    let config = architecture.read_gguf(&keys).map_err(about_file)?;
    let tensors = find_weights(source.name(), &config, stored, |weight| InFile {
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
        notices: Vec::new(),
        tensors,
    })
}

/// The values of a small tensor.
async fn values<S: Source>(source: &S, tensor: &StoredTensor) -> Result<Vec<f32>, LoadError> {
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

/// Checks that the file is no part of a model.
fn check_whole(metadata: &Metadata) -> Result<(), String> {
    match metadata.unsigned("split.count")? {
        Some(count @ 2..) => Err(format!(
            "it is one part of {count}, which is not supported; merge the parts with llama-gguf-split"
        )),
        _ => Ok(()),
    }
}
