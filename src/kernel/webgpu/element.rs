//! How a shader reads one value of a packed matrix.
//!
//! The layouts are those of [`crate::packed`], where each is described; here a thread finds its own value in them.

use cubecl::prelude::*;

use crate::packed::{StorageType, tables};

/// Whether [`element`] knows the storage type: those that are smaller than what they are unpacked to.
pub fn is_known(storage: StorageType) -> bool {
    storage != StorageType::F32
}

/// Element `place` of the matrix, counted row by row; a row is a whole number of blocks.
#[cube]
pub fn element(words: &[u32], place: usize, #[comptime] storage: StorageType) -> f32 {
    let values = comptime!(storage.block_values());
    let bytes = comptime!(storage.block_bytes());
    let start = place / values * bytes;
    let index = place % values;
    match storage {
        StorageType::F32 => f32::reinterpret(words[place]),
        StorageType::F16 => half(words, start),
        StorageType::BF16 => f32::reinterpret(two_bytes(words, start) << 16),
        StorageType::Q4_0 => {
            let number = f32::cast_from(nibble(words, start + 2, index));
            (number - 8.0) * half(words, start)
        }
        StorageType::Q4_1 => {
            let number = f32::cast_from(nibble(words, start + 4, index));
            number * half(words, start) + half(words, start + 2)
        }
        StorageType::Q5_0 => {
            let fifth = bit(words, start + 2 + index / 8, index % 8) << 4;
            let number = f32::cast_from(nibble(words, start + 6, index) | fifth);
            (number - 16.0) * half(words, start)
        }
        StorageType::Q5_1 => {
            let fifth = bit(words, start + 4 + index / 8, index % 8) << 4;
            let number = f32::cast_from(nibble(words, start + 8, index) | fifth);
            number * half(words, start) + half(words, start + 2)
        }
        StorageType::Q8_0 => signed(byte(words, start + 2 + index)) * half(words, start),
        StorageType::Q4_K => {
            let number = four_of_group(words, start + 16, index);
            of_group_of_32(words, start, index / 32, number)
        }
        StorageType::Q5_K => {
            let group = index / 32;
            let fifth = bit(words, start + 16 + index % 32, group) << 4;
            let number = four_of_group(words, start + 48, index) | fifth;
            of_group_of_32(words, start, group, number)
        }
        StorageType::Q6_K => q6_k(words, start, index),
        StorageType::Q2_K => q2_k(words, start, index),
        StorageType::Q3_K => q3_k(words, start, index),
        StorageType::IQ4_NL => {
            let number = nibble(words, start + 2, index);
            half(words, start) * table_entry(number, tables::NON_LINEAR)
        }
        StorageType::IQ4_XS => iq4_xs(words, start, index),
        StorageType::MXFP4 => {
            let number = nibble(words, start + 1, index);
            power_of_two(byte(words, start)) * table_entry(number, tables::FOUR_BIT_FLOATS)
        }
    }
}

/// d · scale · number − dmin · minimum, as Q4_K and Q5_K have it.
#[cube]
fn of_group_of_32(words: &[u32], start: usize, group: usize, number: u32) -> f32 {
    let packed = start + 4;
    let mut scale = byte(words, packed + group) & 63;
    let mut minimum = byte(words, packed + group + 4) & 63;
    if group >= 4 {
        let low_bits = byte(words, packed + group + 4);
        scale = (low_bits & 15) | (byte(words, packed + group - 4) >> 6 << 4);
        minimum = (low_bits >> 4) | (byte(words, packed + group) >> 6 << 4);
    }
    let scale = half(words, start) * f32::cast_from(scale);
    let minimum = half(words, start + 2) * f32::cast_from(minimum);
    scale * f32::cast_from(number) - minimum
}

/// The four bits of value `index` of a block of 256, two groups of 32 to 32 bytes.
#[cube]
fn four_of_group(words: &[u32], start: usize, index: usize) -> u32 {
    let group = index / 32;
    let bits = byte(words, start + group / 2 * 32 + index % 32);
    (bits >> (group % 2 * 4) as u32) & 15
}

#[cube]
fn q6_k(words: &[u32], start: usize, index: usize) -> f32 {
    let (part, quarter) = (index / 128, index % 128 / 32);
    let lower = byte(words, start + part * 64 + quarter % 2 * 32 + index % 32);
    let upper = byte(words, start + 128 + part * 32 + index % 32);
    let low_bits = (lower >> (quarter / 2 * 4) as u32) & 15;
    let high_bits = (upper >> (2 * quarter) as u32) & 3;
    let number = f32::cast_from(low_bits | (high_bits << 4)) - 32.0;
    let scale = signed(byte(words, start + 192 + index / 16));
    half(words, start + 208) * scale * number
}

#[cube]
fn q2_k(words: &[u32], start: usize, index: usize) -> f32 {
    let packed = byte(words, start + index / 16);
    let scale = half(words, start + 80) * f32::cast_from(packed & 15);
    let minimum = half(words, start + 82) * f32::cast_from(packed >> 4);
    scale * f32::cast_from(two_bits(words, start + 16, index)) - minimum
}

#[cube]
fn q3_k(words: &[u32], start: usize, index: usize) -> f32 {
    let group = index / 16;
    let packed = start + 96;
    let low_bits = (byte(words, packed + group % 8) >> (group / 8 * 4) as u32) & 15;
    let high_bits = (byte(words, packed + 8 + group % 4) >> (group / 4 * 2) as u32) & 3;
    let scale = f32::cast_from(low_bits | (high_bits << 4)) - 32.0;
    let third = bit(words, start + index % 32, index / 32) << 2;
    let number = f32::cast_from(two_bits(words, start + 32, index) | third) - 4.0;
    half(words, start + 108) * scale * number
}

/// The two bits of value `index` of a block of 256, four times 32 to 32 bytes.
#[cube]
fn two_bits(words: &[u32], start: usize, index: usize) -> u32 {
    let bits = byte(words, start + index / 128 * 32 + index % 32);
    (bits >> (index % 128 / 32 * 2) as u32) & 3
}

#[cube]
fn iq4_xs(words: &[u32], start: usize, index: usize) -> f32 {
    let group = index / 32;
    let low_bits = (byte(words, start + 4 + group / 2) >> (group % 2 * 4) as u32) & 15;
    let high_bits = (byte(words, start + 2 + group / 4) >> (group % 4 * 2) as u32) & 3;
    let scale = f32::cast_from(low_bits | (high_bits << 4)) - 32.0;
    let number = nibble(words, start + 8 + group * 16, index % 32);
    half(words, start) * scale * table_entry(number, tables::NON_LINEAR)
}

/// Number `place` of `table`.
#[cube]
fn table_entry(place: u32, #[comptime] table: [i8; 16]) -> f32 {
    let mut four = comptime!(four_bytes(&table, 0)).runtime();
    if place >= 4 {
        four = comptime!(four_bytes(&table, 1)).runtime();
    }
    if place >= 8 {
        four = comptime!(four_bytes(&table, 2)).runtime();
    }
    if place >= 12 {
        four = comptime!(four_bytes(&table, 3)).runtime();
    }
    signed((four >> (8 * (place % 4))) & 255)
}

/// The numbers from 4 · `part` on as the bytes of a word.
fn four_bytes(table: &[i8; 16], part: usize) -> u32 {
    let bytes = table[4 * part..].iter().take(4).rev();
    bytes.fold(0, |word, &number| word << 8 | u32::from(number as u8))
}

/// 2^(exponent − 128), half of MXFP4's scale, whose table has the numbers twice as large; 0 where that is no normal number,
/// for which adapters may take it anyway.
#[cube]
fn power_of_two(exponent: u32) -> f32 {
    let mut power = 0.0f32;
    if exponent >= 2 {
        power = f32::reinterpret((exponent - 1) << 23);
    }
    power
}

/// The four bits of value `index` of 32, whose 16 bytes begin at `start`: the upper halves are the second half.
#[cube]
fn nibble(words: &[u32], start: usize, index: usize) -> u32 {
    (byte(words, start + index % 16) >> (index / 16 * 4) as u32) & 15
}

/// Bit `index` of byte `place`.
#[cube]
fn bit(words: &[u32], place: usize, index: usize) -> u32 {
    (byte(words, place) >> index as u32) & 1
}

/// A byte with a sign.
#[cube]
fn signed(bits: u32) -> f32 {
    let mut number = f32::cast_from(bits);
    if bits >= 128 {
        number -= 256.0;
    }
    number
}

/// Byte `place`.
#[cube]
fn byte(words: &[u32], place: usize) -> u32 {
    (words[place / 4] >> (8 * (place % 4) as u32)) & 255
}

/// The bytes from `place` on, which is even.
#[cube]
fn two_bytes(words: &[u32], place: usize) -> u32 {
    (words[place / 4] >> (8 * (place % 4) as u32)) & 65535
}

/// The number of half precision at byte `place`, which is even.
#[cube]
fn half(words: &[u32], place: usize) -> f32 {
    let bits = two_bytes(words, place);
    // Adapters may take subnormal numbers of single precision for 0, so those of half precision are made of integers.
    let mut number = f32::cast_from(bits & 1023) / 16_777_216.0;
    if bits & 0x7c00 != 0 {
        // The exponent's bias is 112 larger, and 23 bits lie below it.
        number = f32::reinterpret(((bits & 0x7fff) << 13) + 0x3800_0000);
    }
    if bits & 0x7c00 == 0x7c00 {
        // Infinity and what is no number have all bits of the exponent, in both precisions.
        number = f32::reinterpret(((bits & 0x7fff) << 13) + 0x7000_0000);
    }
    if bits >= 0x8000 {
        number = -number;
    }
    number
}
