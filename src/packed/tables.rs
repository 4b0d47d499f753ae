//! GGML's types whose four bits are a place in a table of 16 numbers: 32 values share a scale.
//!
//! As elsewhere, the lower half of byte i is value i, the upper half is value i + 16.

use super::dequantise::half_at;

/// The numbers of IQ4_NL and IQ4_XS, which lie closer where weights are more frequent.
pub const NON_LINEAR: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];

/// Twice the numbers of MXFP4, which have a sign, two bits of exponent and one of fraction.
pub const FOUR_BIT_FLOATS: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

fn look_up(quants: &[u8], table: &[i8; 16], scale: f32, values: &mut [f32]) {
    let (lower, upper) = values.split_at_mut(16);
    for ((lower, upper), byte) in lower.iter_mut().zip(upper).zip(quants) {
        *lower = scale * f32::from(table[usize::from(byte & 0x0F)]);
        *upper = scale * f32::from(table[usize::from(byte >> 4)]);
    }
}

/// d · number. Layout: d, then 16 bytes.
pub fn iq4_nl(block: &[u8; 18], values: &mut [f32; 32]) {
    look_up(&block[2..], &NON_LINEAR, half_at(block, 0), values);
}

/// d · (scale − 32) · number, with a scale of six bits for each 32 values.
///
/// Layout: d, 16 bits with the upper two of each scale, 4 bytes with the lower four of two each, then 16 bytes a group.
pub fn iq4_xs(block: &[u8; 136], values: &mut [f32; 256]) {
    let d = half_at(block, 0);
    let high_bits = u16::from_le_bytes([block[2], block[3]]);
    let groups = values.chunks_exact_mut(32).zip(block[8..].chunks_exact(16));
    for (group, (values, quants)) in groups.enumerate() {
        let low_bits = block[4 + group / 2] >> (group % 2 * 4) & 0x0F;
        let high_bits = (high_bits >> (2 * group) & 0x03) as u8;
        let scale = d * (f32::from(low_bits | high_bits << 4) - 32.0);
        look_up(quants, &NON_LINEAR, scale, values);
    }
}

/// 2^(e − 127) · number. Layout: e, then 16 bytes.
pub fn mxfp4(block: &[u8; 17], values: &mut [f32; 32]) {
    // The table has the numbers twice as large.
    let scale = 2.0_f32.powi(i32::from(block[0]) - 128);
    look_up(&block[1..], &FOUR_BIT_FLOATS, scale, values);
}
