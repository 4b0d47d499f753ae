//! GGML's first quantised types: 32 values share a scale d and, in the types `_1`, a minimum m.
//!
//! Four-bit numbers lie two to a byte: the lower half of byte i is value i, the upper half is value i + 16.
//! In the five-bit types a 32-bit word holds the fifth bits, bit i that of value i.

use super::dequantise::half_at;

/// The 32 four-bit numbers in the 16 bytes from `start` of a block, each as `value(i, number)` makes it.
#[inline(always)]
fn read_nibbles(
    block: &[u8],
    start: usize,
    values: &mut [f32; 32],
    value: impl Fn(usize, u8) -> f32,
) {
    let (lower, upper) = values.split_at_mut(16);
    for i in 0..16 {
        lower[i] = value(i, block[start + i] & 0x0F);
    }
    for i in 0..16 {
        upper[i] = value(i + 16, block[start + i] >> 4);
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
#[inline]
pub fn q4_0(block: &[u8; 18], values: &mut [f32; 32]) {
    let d = half_at(block, 0);
    read_nibbles(block, 2, values, |_, q| (f32::from(q) - 8.0) * d);
}

/// q · d + m, with q of four bits.
#[inline]
pub fn q4_1(block: &[u8; 20], values: &mut [f32; 32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    read_nibbles(block, 4, values, |_, q| f32::from(q) * d + m);
}

/// (q − 16) · d, with q of five bits.
#[inline]
pub fn q5_0(block: &[u8; 22], values: &mut [f32; 32]) {
    let (d, bits) = (half_at(block, 0), word_at(block, 2));
    read_nibbles(block, 6, values, |i, q| {
        (f32::from(q | fifth_bit(bits, i)) - 16.0) * d
    });
}

/// q · d + m, with q of five bits.
#[inline]
pub fn q5_1(block: &[u8; 24], values: &mut [f32; 32]) {
    let (d, m, bits) = (half_at(block, 0), half_at(block, 2), word_at(block, 4));
    read_nibbles(block, 8, values, |i, q| {
        f32::from(q | fifth_bit(bits, i)) * d + m
    });
}

/// q · d, with q a signed byte.
#[inline]
pub fn q8_0(block: &[u8; 34], values: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for (i, value) in values.iter_mut().enumerate() {
        *value = f32::from(block[2 + i] as i8) * d;
    }
}
