//! The header of a safetensors file.
//!
//! Layout: length of the header in 8 bytes, the header in JSON, the data. The `safetensors` crate checks that the
//! tensors fill the data without gaps or overlaps, and that shapes and sizes agree.

use safetensors::{Dtype, tensor::Metadata};

use crate::load::{
    error::LoadError,
    source::{self, Source},
    tensor::{StoredTensors, UnreadType},
};
use crate::packed::StorageType;

/// Length of the header's length.
const LENGTH_BYTES: usize = 8;

/// A tensor takes about 120 bytes of header; this is for a hundred thousand of them.
const LONGEST_HEADER: u64 = 16 << 20;

/// Reads which tensors `source`, file number `file` of the checkpoint, holds.
///
/// # Errors
/// A file that is no safetensors file, or is cut off.
pub(crate) async fn stored_tensors<S: Source>(
    source: &S,
    file: usize,
) -> Result<StoredTensors, LoadError> {
    let wrong = |problem: String| LoadError::new(source.name(), problem);
    let mut length = [0; LENGTH_BYTES];
    length.copy_from_slice(&source::read_exactly(source, 0, LENGTH_BYTES).await?);
    if length == source::LFS_POINTER[..LENGTH_BYTES] {
        return Err(wrong(source::IS_LFS_POINTER.to_owned()));
    }
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER {
        return Err(wrong(format!(
            "it claims a header of {length} bytes; it is no safetensors file, or a damaged one"
        )));
    }
    // At most `LONGEST_HEADER`, so it fits in `usize`.
    let header = source::read_exactly(source, LENGTH_BYTES as u64, length as usize).await?;
    let metadata: Metadata = serde_json::from_slice(&header)
        .map_err(|error| wrong(format!("its header is damaged: {error}")))?;

    let data_start = LENGTH_BYTES as u64 + length;
    let data_end = data_start + metadata.data_len() as u64;
    if data_end != source.len() {
        let actual = source.len();
        return Err(wrong(format!(
            "its header describes a file of {data_end} bytes, but it has {actual}; it may be cut off"
        )));
    }
    let mut stored = StoredTensors::default();
    // In the order of the file, so that the same tensor is reported each time.
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else {
            continue;
        };
        let storage = match info.dtype {
            Dtype::F32 => Ok(StorageType::F32),
            Dtype::F16 => Ok(StorageType::F16),
            Dtype::BF16 => Ok(StorageType::BF16),
            other => Err(UnreadType {
                name: format!("{other:?}"),
                known: "F32, F16 or BF16",
                holds_integers: holds_integers(other),
            }),
        };
        let dimensions: Vec<u64> = info.shape.iter().map(|&size| size as u64).collect();
        let offset = data_start + info.data_offsets.0 as u64;
        stored.add(source, file, name, &dimensions, storage, offset)?;
    }
    Ok(stored)
}

/// Masks, indices and counters are kept in these.
fn holds_integers(kind: Dtype) -> bool {
    matches!(
        kind,
        Dtype::BOOL
            | Dtype::U8
            | Dtype::I8
            | Dtype::U16
            | Dtype::I16
            | Dtype::U32
            | Dtype::I32
            | Dtype::U64
            | Dtype::I64
    )
}
