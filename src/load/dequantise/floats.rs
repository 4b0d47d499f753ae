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
        *value = half::f16::from_le_bytes(*number).to_f32();
    }
}

/// Brain floating point.
pub fn bf16(bytes: &[u8], values: &mut [f32]) {
    let (numbers, _) = bytes.as_chunks::<2>();
    for (value, number) in values.iter_mut().zip(numbers) {
        *value = half::bf16::from_le_bytes(*number).to_f32();
    }
}
