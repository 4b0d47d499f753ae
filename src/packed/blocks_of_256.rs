//! GGML's K-quants: 256 values share a scale, and smaller groups among them have integer scales of their own.

use super::dequantise::half_at;

/// The 6-bit scale and the 6-bit minimum of group `group` of 8, as Q4_K and Q5_K pack them in 12 bytes.
///
/// Bytes 0 to 3 hold the scales of the first four groups and bytes 4 to 7 their minima, in the lower six bits. Bytes 8
/// to 11 hold the lower four bits of the other groups, scale below minimum; their upper two bits are in the upper bits
/// of bytes 0 to 7.
fn scale_and_minimum(packed: &[u8], group: usize) -> (f32, f32) {
    let (scale, minimum) = if group < 4 {
        (packed[group] & 0x3F, packed[group + 4] & 0x3F)
    } else {
        (
            packed[group + 4] & 0x0F | packed[group - 4] >> 6 << 4,
            packed[group + 4] >> 4 | packed[group] >> 6 << 4,
        )
    };
    (f32::from(scale), f32::from(minimum))
}

/// Groups of 32: d · scale · q − dmin · minimum, with q of four bits.
///
/// Layout: d, dmin, 12 bytes of scales, then 128 bytes. Each 32 bytes hold two groups, one in the lower and one in the
/// upper halves.
pub fn q4_k(block: &[u8; 144], values: &mut [f32; 256]) {
    let (d, dmin) = (half_at(block, 0), half_at(block, 2));
    let (packed, quants) = (&block[4..16], &block[16..144]);
    for (group, values) in values.chunks_exact_mut(32).enumerate() {
        let (scale, minimum) = scale_and_minimum(packed, group);
        let quants = &quants[group / 2 * 32..][..32];
        for (value, byte) in values.iter_mut().zip(quants) {
            let q = byte >> (group % 2 * 4) & 0x0F;
            *value = d * scale * f32::from(q) - dmin * minimum;
        }
    }
}

/// Groups of 32: d · scale · q − dmin · minimum, with q of five bits.
///
/// Layout: d, dmin, 12 bytes of scales, 32 bytes of fifth bits, then 128 bytes as in [`q4_k`]. Bit g of byte i of the
/// fifth bits belongs to value i of group g.
pub fn q5_k(block: &[u8; 176], values: &mut [f32; 256]) {
    let (d, dmin) = (half_at(block, 0), half_at(block, 2));
    let (packed, fifth_bits, quants) = (&block[4..16], &block[16..48], &block[48..176]);
    for (group, values) in values.chunks_exact_mut(32).enumerate() {
        let (scale, minimum) = scale_and_minimum(packed, group);
        let quants = &quants[group / 2 * 32..][..32];
        for ((value, byte), bits) in values.iter_mut().zip(quants).zip(fifth_bits) {
            let q = byte >> (group % 2 * 4) & 0x0F | (bits >> group & 1) << 4;
            *value = d * scale * f32::from(q) - dmin * minimum;
        }
    }
}

/// Groups of 16: d · scale · (q − 32), with q of six bits and a signed 8-bit scale.
///
/// Layout: 128 bytes of lower four bits, 64 bytes of upper two bits, 16 scales, d. Each half of the block, 128 values,
/// takes 64 of the lower and 32 of the upper bytes; its quarter p of 32 values has its lower bits in the lower (p = 0,
/// 1) or upper (p = 2, 3) halves of bytes 32 · (p mod 2) and on, and its upper bits at bit 2p of each upper byte.
pub fn q6_k(block: &[u8; 210], values: &mut [f32; 256]) {
    let d = half_at(block, 208);
    for (half, values) in values.chunks_exact_mut(128).enumerate() {
        let lower = &block[half * 64..][..64];
        let upper = &block[128 + half * 32..][..32];
        let scales = &block[192 + half * 8..][..8];
        for (quarter, values) in values.chunks_exact_mut(32).enumerate() {
            let lower = &lower[quarter % 2 * 32..][..32];
            for (i, value) in values.iter_mut().enumerate() {
                let low_bits = lower[i] >> (quarter / 2 * 4) & 0x0F;
                let high_bits = upper[i] >> (2 * quarter) & 0x03;
                let q = f32::from(low_bits | high_bits << 4) - 32.0;
                let scale = f32::from(scales[quarter * 2 + i / 16] as i8);
                *value = d * scale * q;
            }
        }
    }
}

/// Groups of 16: d · scale · q − dmin · minimum, with q of two bits.
///
/// Layout: 16 bytes with a scale in the lower and a minimum in the upper half, 64 bytes, d, dmin. Each half of the block,
/// 128 values, takes 32 of the bytes; its quarter p of 32 values is at bit 2p of each.
pub fn q2_k(block: &[u8; 84], values: &mut [f32; 256]) {
    let (d, dmin) = (half_at(block, 80), half_at(block, 82));
    for (group, values) in values.chunks_exact_mut(16).enumerate() {
        let packed = block[group];
        let scale = d * f32::from(packed & 0x0F);
        let minimum = dmin * f32::from(packed >> 4);
        let quants = two_bits(&block[16..80], group);
        for (value, q) in values.iter_mut().zip(quants) {
            *value = scale * f32::from(q) - minimum;
        }
    }
}

/// Groups of 16: d · (scale − 32) · (q − 4), with q of three bits and a scale of six.
///
/// Layout: 32 bytes of third bits, 64 bytes as in [`q2_k`], 12 bytes of scales, d. Bit p of byte i of the third bits
/// belongs to value i of the block's p-th 32 values. The first eight bytes of scales hold the lower four bits of two, of
/// the first eight groups in the lower halves; the upper two bits of group g are in byte 8 + g mod 4, at bit 2 · ⌊g / 4⌋.
pub fn q3_k(block: &[u8; 110], values: &mut [f32; 256]) {
    let d = half_at(block, 108);
    let (third_bits, packed) = (&block[..32], &block[96..108]);
    for (group, values) in values.chunks_exact_mut(16).enumerate() {
        let low_bits = packed[group % 8] >> (group / 8 * 4) & 0x0F;
        let high_bits = packed[8 + group % 4] >> (group / 4 * 2) & 0x03;
        let scale = d * (f32::from(low_bits | high_bits << 4) - 32.0);
        let quants = two_bits(&block[32..96], group);
        let third_bits = &third_bits[group % 2 * 16..][..16];
        for ((value, q), bits) in values.iter_mut().zip(quants).zip(third_bits) {
            let third = bits >> (group / 2) & 1;
            *value = scale * (f32::from(q | third << 2) - 4.0);
        }
    }
}

/// The sixteen two-bit numbers of a group.
fn two_bits(quants: &[u8], group: usize) -> impl Iterator<Item = u8> {
    let start = group / 8 * 32 + group % 2 * 16;
    let shift = group % 8 / 2 * 2;
    quants[start..start + 16]
        .iter()
        .map(move |byte| byte >> shift & 0x03)
}
