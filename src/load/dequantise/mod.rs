//! Packed bytes to `f32`.
//!
//! The layouts are those that GGML's block structures define; the code is written from their description.

mod blocks_of_256;
mod blocks_of_32;
pub mod floats;

use super::storage::StorageType;

/// Writes the values that `bytes` hold into `values`.
///
/// # Panics
/// If the lengths do not belong together: `bytes` must hold exactly `values.len()` values in whole blocks.
pub fn dequantise(storage: StorageType, bytes: &[u8], values: &mut [f32]) {
    let (block_values, block_bytes) = (storage.block_values(), storage.block_bytes());
    assert_eq!(values.len() % block_values, 0, "a block is cut in two");
    assert_eq!(
        bytes.len(),
        values.len() / block_values * block_bytes,
        "bytes and values differ in length"
    );
    match storage {
        StorageType::F32 => floats::f32(bytes, values),
        StorageType::F16 => floats::f16(bytes, values),
        StorageType::BF16 => floats::bf16(bytes, values),
        StorageType::Q4_0 => each(bytes, values, blocks_of_32::q4_0),
        StorageType::Q4_1 => each(bytes, values, blocks_of_32::q4_1),
        StorageType::Q5_0 => each(bytes, values, blocks_of_32::q5_0),
        StorageType::Q5_1 => each(bytes, values, blocks_of_32::q5_1),
        StorageType::Q8_0 => each(bytes, values, blocks_of_32::q8_0),
        StorageType::Q4_K => each(bytes, values, blocks_of_256::q4_k),
        StorageType::Q5_K => each(bytes, values, blocks_of_256::q5_k),
        StorageType::Q6_K => each(bytes, values, blocks_of_256::q6_k),
    }
}

/// Block by block. The lengths are known to the compiler, so that the loops in `read` become vectors.
#[inline(always)]
fn each<const BYTES: usize, const VALUES: usize>(
    bytes: &[u8],
    values: &mut [f32],
    read: impl Fn(&[u8; BYTES], &mut [f32; VALUES]),
) {
    let (blocks, _) = bytes.as_chunks::<BYTES>();
    let (values, _) = values.as_chunks_mut::<VALUES>();
    for (block, values) in blocks.iter().zip(values) {
        read(block, values);
    }
}

/// The little-endian half-precision number at `position` of a block.
#[inline(always)]
fn half_at(block: &[u8], position: usize) -> f32 {
    floats::half(u16::from_le_bytes([block[position], block[position + 1]]))
}
