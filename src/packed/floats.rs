//! Floating-point types, little endian.

/// Single precision.
pub fn f32(bytes: &[u8], values: &mut [f32]) {
    let (numbers, _) = bytes.as_chunks::<4>();
    for (value, number) in values.iter_mut().zip(numbers) {
        *value = f32::from_le_bytes(*number);
    }
}

/// Half precision.
pub fn f16(bytes: &[u8], values: &mut [f32]) {
    let (numbers, _) = bytes.as_chunks::<2>();
    for (value, number) in values.iter_mut().zip(numbers) {
        *value = half(u16::from_le_bytes(*number));
    }
}

/// The value of a half-precision number, without a branch, so that a loop of it becomes vectors.
#[inline]
pub fn half(bits: u16) -> f32 {
    // 2^112 moves the exponent from half precision's bias of 15 to single precision's of 127. As a product it is right for
    // subnormal numbers too.
    const BIAS: f32 = f32::from_bits((127 + 112) << 23);
    const INFINITE: u32 = 0x7C00;
    let bits = u32::from(bits);
    let magnitude = bits & 0x7FFF;
    let finite = f32::from_bits(magnitude << 13) * BIAS;
    // Infinities and numbers that are none have all bits of the exponent set in either precision.
    let exponent = if magnitude >= INFINITE {
        0x7F80_0000
    } else {
        0
    };
    f32::from_bits(finite.to_bits() | exponent | (bits & 0x8000) << 16)
}

/// Brain floating point.
pub fn bf16(bytes: &[u8], values: &mut [f32]) {
    let (numbers, _) = bytes.as_chunks::<2>();
    for (value, number) in values.iter_mut().zip(numbers) {
        *value = half::bf16::from_le_bytes(*number).to_f32();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_precision_number_is_the_one_of_the_standard() {
        for bits in 0..=u16::MAX {
            let (ours, standard) = (half(bits), half::f16::from_bits(bits).to_f32());
            assert!(
                ours.to_bits() == standard.to_bits() || ours.is_nan() && standard.is_nan(),
                "{bits:#06x}: {ours} and {standard}"
            );
        }
    }
}
