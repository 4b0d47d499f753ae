//! GGML's first quantised types: 32 values share a scale d and, in the types `_1`, a minimum m.
//!
//! Four-bit numbers lie two to a byte: the lower half of byte i is value i, the upper half is value i + 16.
//! In the five-bit types a 32-bit word holds the fifth bits, bit i that of value i.

use super::half_at;

/// Calls `write(i, number)` with the 32 four-bit numbers in 16 bytes.
fn for_each_nibble(bytes: &[u8], mut write: impl FnMut(usize, u8)) {
    for (i, byte) in bytes.iter().enumerate() {
        write(i, byte & 0x0F);
        write(i + 16, byte >> 4);
    }
}

/// The fifth bit of value i, already in its place.
fn fifth_bit(bits: u32, i: usize) -> u8 {
    ((bits >> i & 1) as u8) << 4
}

/// The little-endian 32-bit word at `position` of a block.
fn word_at(block: &[u8], position: usize) -> u32 {
    u32::from_le_bytes([
        block[position],
        block[position + 1],
        block[position + 2],
        block[position + 3],
    ])
}

/// (q − 8) · d, with q of four bits.
pub fn q4_0(block: &[u8], values: &mut [f32]) {
    let d = half_at(block, 0);
    for_each_nibble(&block[2..18], |i, q| values[i] = (f32::from(q) - 8.0) * d);
}

/// q · d + m, with q of four bits.
pub fn q4_1(block: &[u8], values: &mut [f32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    for_each_nibble(&block[4..20], |i, q| values[i] = f32::from(q) * d + m);
}

/// (q − 16) · d, with q of five bits.
pub fn q5_0(block: &[u8], values: &mut [f32]) {
    let (d, bits) = (half_at(block, 0), word_at(block, 2));
    for_each_nibble(&block[6..22], |i, q| {
        values[i] = (f32::from(q | fifth_bit(bits, i)) - 16.0) * d;
    });
}

/// q · d + m, with q of five bits.
pub fn q5_1(block: &[u8], values: &mut [f32]) {
    let (d, m, bits) = (half_at(block, 0), half_at(block, 2), word_at(block, 4));
    for_each_nibble(&block[8..24], |i, q| {
        values[i] = f32::from(q | fifth_bit(bits, i)) * d + m;
    });
}

/// q · d, with q a signed byte.
pub fn q8_0(block: &[u8], values: &mut [f32]) {
    let d = half_at(block, 0);
    for (value, byte) in values.iter_mut().zip(&block[2..34]) {
        *value = f32::from(*byte as i8) * d;
    }
}
