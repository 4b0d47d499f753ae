//! GGUF files, versions 2 and 3, little endian.
//!
//! Layout, from the format's specification in the ggml repository (`docs/gguf.md`): magic, version, number of tensors,
//! number of metadata entries; the entries; name, dimensions, type and offset of each tensor; padding; the data.

mod cursor;
mod header;
mod metadata;
mod parts;

pub(crate) use header::{Header, read};
pub use metadata::Metadata;
pub(crate) use parts::Parts;

use super::{
    error::LoadError,
    quoted,
    source::Source,
    tensor::{StoredTensor, StoredTensors, UnreadType},
};
use crate::packed::StorageType;
use header::DeclaredTensor;

/// The first bytes of every GGUF file.
pub const MAGIC: [u8; 4] = *b"GGUF";

/// Numbers of the types of whole numbers, I8 to I64.
const INTEGERS: std::ops::RangeInclusive<u32> = 24..=27;

/// Metadata and tensors of a file that need not be a model.
///
/// # Errors
/// A file that is cut off or lies about sizes.
#[cfg(test)]
pub(crate) async fn contents<S: Source>(
    source: &S,
) -> Result<(Metadata, Vec<StoredTensor>), LoadError> {
    let header = read(source).await?;
    let stored = stored_tensors(source, 0, &header)?;
    Ok((header.metadata, stored.readable))
}

/// Every tensor of the header of `source`, file number `file` of those given, with type and range checked.
///
/// # Errors
/// A range that leaves the file, or two tensors that share bytes.
pub(crate) fn stored_tensors<S: Source>(
    source: &S,
    file: usize,
    header: &Header,
) -> Result<StoredTensors, LoadError> {
    let wrong = |problem: String| LoadError::new(source.name(), problem);
    let mut stored = StoredTensors::default();
    for DeclaredTensor {
        name,
        dimensions,
        storage,
        offset,
    } in &header.tensors
    {
        let storage = StorageType::from_ggml(*storage).map_err(|kind| UnreadType {
            name: kind,
            known: "F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, IQ4_NL, IQ4_XS or MXFP4",
            holds_integers: INTEGERS.contains(storage),
        });
        if !offset.is_multiple_of(header.alignment) {
            let alignment = header.alignment;
            return Err(wrong(format!(
                "tensor {} has offset {offset}, which is no multiple of the alignment {alignment}",
                quoted::text(name)
            )));
        }
        let Some(start) = header.data_start.checked_add(*offset) else {
            return Err(wrong(format!(
                "tensor {} has the absurd offset {offset}",
                quoted::text(name)
            )));
        };
        stored.add(source, file, name.clone(), dimensions, storage, start)?;
    }
    check_overlap(source.name(), &stored.readable)?;
    Ok(stored)
}

/// Checks that no two tensors share bytes.
fn check_overlap(file: &str, stored: &[StoredTensor]) -> Result<(), LoadError> {
    let mut in_file_order: Vec<_> = stored.iter().collect();
    in_file_order.sort_by_key(|tensor| tensor.offset);
    for pair in in_file_order.windows(2) {
        if pair[0].offset + pair[0].bytes > pair[1].offset {
            let (first, second) = (&pair[0].name, &pair[1].name);
            return Err(LoadError::new(
                file,
                format!("tensors {first} and {second} overlap"),
            ));
        }
    }
    Ok(())
}
