//! Packed bytes to `f32`.
//!
//! The layouts are those that GGML's block structures define; the code is written from their description.

use super::{StorageType, blocks_of_32, blocks_of_256, floats, tables};

/// Writes the values that `bytes` hold into `values`.
///
/// # Panics
/// If the lengths do not belong together: `bytes` must hold exactly `values.len()` values in whole blocks.
pub fn dequantise(storage: StorageType, bytes: &[u8], values: &mut [f32]) {
    let length = values.len();
    let (block_values, block_bytes) = (storage.block_values(), storage.block_bytes());
    assert_eq!(
        bytes.len(),
        length / block_values * block_bytes,
        "bytes and values differ in length"
    );
    dequantise_rows(storage, bytes, bytes.len(), length, values);
}

/// Writes parts of rows into `values`, one after the other: `width` values of each, whose bytes begin `row_bytes` after
/// those of the row before.
///
/// # Panics
/// If a block is cut in two, or a row's bytes are missing.
pub fn dequantise_rows(
    storage: StorageType,
    bytes: &[u8],
    row_bytes: usize,
    width: usize,
    values: &mut [f32],
) {
    if values.is_empty() {
        return;
    }
    let (block_values, block_bytes) = (storage.block_values(), storage.block_bytes());
    assert!(
        width.is_multiple_of(block_values) && values.len().is_multiple_of(width),
        "a block is cut in two"
    );
    let part = width / block_values * block_bytes;
    let rows = values.chunks_exact_mut(width).enumerate();
    let rows = rows.map(|(row, values)| (&bytes[row * row_bytes..][..part], values));
    // The type is asked for once for all rows, of which a product reads a few blocks at a time.
    match storage {
        StorageType::F32 => rows.for_each(|(bytes, values)| floats::f32(bytes, values)),
        StorageType::F16 => rows.for_each(|(bytes, values)| floats::f16(bytes, values)),
        StorageType::BF16 => rows.for_each(|(bytes, values)| floats::bf16(bytes, values)),
        StorageType::Q4_0 => each(rows, blocks_of_32::q4_0),
        StorageType::Q4_1 => each(rows, blocks_of_32::q4_1),
        StorageType::Q5_0 => each(rows, blocks_of_32::q5_0),
        StorageType::Q5_1 => each(rows, blocks_of_32::q5_1),
        StorageType::Q8_0 => each(rows, blocks_of_32::q8_0),
        StorageType::Q4_K => each(rows, blocks_of_256::q4_k),
        StorageType::Q5_K => each(rows, blocks_of_256::q5_k),
        StorageType::Q6_K => each(rows, blocks_of_256::q6_k),
        StorageType::Q2_K => each(rows, blocks_of_256::q2_k),
        StorageType::Q3_K => each(rows, blocks_of_256::q3_k),
        StorageType::IQ4_NL => each(rows, tables::iq4_nl),
        StorageType::IQ4_XS => each(rows, tables::iq4_xs),
        StorageType::MXFP4 => each(rows, tables::mxfp4),
    }
}

/// Block by block. The lengths are known to the compiler, so that the loops in `read` become vectors.
#[inline(always)]
fn each<'a, const BYTES: usize, const VALUES: usize>(
    rows: impl Iterator<Item = (&'a [u8], &'a mut [f32])>,
    read: impl Fn(&[u8; BYTES], &mut [f32; VALUES]),
) {
    for (bytes, values) in rows {
        let (blocks, _) = bytes.as_chunks::<BYTES>();
        let (values, _) = values.as_chunks_mut::<VALUES>();
        for (block, values) in blocks.iter().zip(values) {
            read(block, values);
        }
    }
}

/// The little-endian half-precision number at `position` of a block.
#[inline(always)]
pub(super) fn half_at(block: &[u8], position: usize) -> f32 {
    floats::half(u16::from_le_bytes([block[position], block[position + 1]]))
}
