//! Packed values, against numbers worked out by hand and against the reference implementation.

use half::f16;
use riemann_lora::packed::{StorageType, dequantise};
use serde::Deserialize;
use wasm_bindgen_test::wasm_bindgen_test;

fn values_of(storage: StorageType, bytes: &[u8], count: usize) -> Vec<f32> {
    let mut values = vec![f32::NAN; count];
    dequantise(storage, bytes, &mut values);
    values
}

/// A block that begins with these half-precision numbers.
fn block(scales: &[f32], rest: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let scales = scales
        .iter()
        .flat_map(|&scale| f16::from_f32(scale).to_le_bytes());
    scales.chain(rest).collect()
}

/// Sixteen bytes whose lower halves count up from 0 and whose upper halves count down from 15.
fn counting_nibbles() -> impl Iterator<Item = u8> {
    (0..16).map(|i| i | (15 - i) << 4)
}

/// The four-bit numbers of [`counting_nibbles`] in the order of the values.
fn counted(i: usize) -> f32 {
    if i < 16 { i as f32 } else { 31.0 - i as f32 }
}

#[wasm_bindgen_test(unsupported = test)]
fn floats_are_widened() {
    let bytes: Vec<u8> = [1.5f32, -0.0, 3.0e-40]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    assert_eq!(values_of(StorageType::F32, &bytes, 3), [1.5, -0.0, 3.0e-40]);
    // Sign, five bits of exponent, ten bits of fraction: 1.5, the smallest subnormal, -65504.
    let bytes: Vec<u8> = [0x3E00u16, 0x0001, 0xFBFF]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    assert_eq!(
        values_of(StorageType::F16, &bytes, 3),
        [1.5, 2.0f32.powi(-24), -65504.0]
    );
    // The upper half of the single-precision numbers 1.5 and -2.
    let bytes: Vec<u8> = [0x3FC0u16, 0xC000]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    assert_eq!(values_of(StorageType::BF16, &bytes, 2), [1.5, -2.0]);
}

#[wasm_bindgen_test(unsupported = test)]
fn four_bits_are_scaled_and_shifted() {
    let values = values_of(StorageType::Q4_0, &block(&[0.5], counting_nibbles()), 32);
    let expected: Vec<f32> = (0..32).map(|i| (counted(i) - 8.0) * 0.5).collect();
    assert_eq!(values, expected);
    assert_eq!(
        (values[0], values[15], values[16], values[31]),
        (-4.0, 3.5, 3.5, -4.0)
    );

    let values = values_of(
        StorageType::Q4_1,
        &block(&[0.25, -1.0], counting_nibbles()),
        32,
    );
    let expected: Vec<f32> = (0..32).map(|i| counted(i) * 0.25 - 1.0).collect();
    assert_eq!(values, expected);
    assert_eq!(
        (values[0], values[15], values[16], values[31]),
        (-1.0, 2.75, 2.75, -1.0)
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn fifth_bits_belong_to_their_values() {
    // Bits 0, 1, 8, 16 and 31 are set.
    let fifth_bits = [0b0000_0011, 0b0000_0001, 0b0000_0001, 0b1000_0000];
    let fifth = |i: usize| {
        if [0, 1, 8, 16, 31].contains(&i) {
            16.0
        } else {
            0.0
        }
    };
    let rest: Vec<u8> = fifth_bits.into_iter().chain(counting_nibbles()).collect();

    let values = values_of(StorageType::Q5_0, &block(&[0.5], rest.clone()), 32);
    let expected: Vec<f32> = (0..32)
        .map(|i| (counted(i) + fifth(i) - 16.0) * 0.5)
        .collect();
    assert_eq!(values, expected);
    assert_eq!(
        (values[0], values[2], values[16], values[31]),
        (0.0, -7.0, 7.5, 0.0)
    );

    let values = values_of(StorageType::Q5_1, &block(&[0.5, -3.0], rest), 32);
    let expected: Vec<f32> = (0..32)
        .map(|i| (counted(i) + fifth(i)) * 0.5 - 3.0)
        .collect();
    assert_eq!(values, expected);
}

#[wasm_bindgen_test(unsupported = test)]
fn bytes_are_signed() {
    let values = values_of(
        StorageType::Q8_0,
        &block(&[0.125], (0..32u8).map(|i| 128u8.wrapping_add(i * 8))),
        32,
    );
    // Byte 128 stands for -128; from 256 on the bytes wrap around, and the last one is 120.
    let expected: Vec<f32> = (0..32).map(|i| (i as f32 * 8.0 - 128.0) * 0.125).collect();
    assert_eq!(values, expected);
    assert_eq!((values[0], values[16], values[31]), (-16.0, 0.0, 15.0));
}

/// Scales 1 to 4 and 17 to 20 for the eight groups, minima 5 to 8 and 33 to 36, packed by hand.
///
/// 17 is 0b01_0001: its lower four bits, 1, go to the lower half of byte 8 and its upper two, 0b01, above the scale of
/// group 0. 33 is 0b10_0001: its lower four bits go to the upper half of byte 8, its upper two above the minimum of
/// group 0. And so on.
const PACKED_SCALES: [u8; 12] = [
    0b01_000001,
    0b01_000010,
    0b01_000011,
    0b01_000100,
    0b10_000101,
    0b10_000110,
    0b10_000111,
    0b10_001000,
    0b0001_0001,
    0b0010_0010,
    0b0011_0011,
    0b0100_0100,
];
const SCALES: [f32; 8] = [1.0, 2.0, 3.0, 4.0, 17.0, 18.0, 19.0, 20.0];
const MINIMA: [f32; 8] = [5.0, 6.0, 7.0, 8.0, 33.0, 34.0, 35.0, 36.0];

#[wasm_bindgen_test(unsupported = test)]
fn groups_have_scales_and_minima() {
    // Even groups hold 3 everywhere and odd groups 10.
    let quants = std::iter::repeat_n(3 | 10 << 4, 128);
    let four_bits = block(
        &[0.5, 0.25],
        PACKED_SCALES.into_iter().chain(quants.clone()),
    );
    let values = values_of(StorageType::Q4_K, &four_bits, 256);
    for (i, value) in values.iter().enumerate() {
        let group = i / 32;
        let q = if group % 2 == 0 { 3.0 } else { 10.0 };
        assert_eq!(
            *value,
            0.5 * SCALES[group] * q - 0.25 * MINIMA[group],
            "value {i}"
        );
    }
    assert_eq!((values[0], values[32], values[255]), (0.25, 8.5, 91.0));

    // The fifth bit is set for all values of groups 0 and 5, and for value 7 of group 1.
    let fifth_bits = (0..32).map(|i| if i == 7 { 0b0010_0011 } else { 0b0010_0001 });
    let rest = PACKED_SCALES.into_iter().chain(fifth_bits).chain(quants);
    let values = values_of(StorageType::Q5_K, &block(&[0.5, 0.25], rest), 256);
    for (i, value) in values.iter().enumerate() {
        let group = i / 32;
        let fifth = if matches!(group, 0 | 5) || i == 32 + 7 {
            16.0
        } else {
            0.0
        };
        let q = if group % 2 == 0 { 3.0 } else { 10.0 } + fifth;
        assert_eq!(
            *value,
            0.5 * SCALES[group] * q - 0.25 * MINIMA[group],
            "value {i}"
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn six_bits_come_from_two_places() {
    // Lower bits: 1 in the first half of a 128, 2 in the second. Upper bits: 3, 2, 1, 0 for the four quarters.
    let lower = std::iter::repeat_n(1 | 2 << 4, 128);
    let upper = std::iter::repeat_n(0b00_01_10_11, 64);
    let scales = (0..16).map(|i: i8| (i - 8) as u8);
    let scale_of_all = f16::from_f32(0.5).to_le_bytes();
    let bytes: Vec<u8> = lower
        .chain(upper)
        .chain(scales)
        .chain(scale_of_all)
        .collect();
    let values = values_of(StorageType::Q6_K, &bytes, 256);
    // 1 + 48 - 32, 1 + 32 - 32, 2 + 16 - 32, 2 + 0 - 32
    let quarters = [17.0, 1.0, -14.0, -30.0];
    for (i, value) in values.iter().enumerate() {
        let scale = (i / 16) as f32 - 8.0;
        assert_eq!(*value, 0.5 * scale * quarters[i / 32 % 4], "value {i}");
    }
}

#[derive(Deserialize)]
struct Case {
    #[serde(rename = "type")]
    name: String,
    number: u32,
    bytes: String,
    values: Vec<f32>,
}

#[wasm_bindgen_test(unsupported = test)]
fn random_blocks_agree_with_the_reference() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../fixtures/dequantise.json"))
        .expect("the fixture is JSON");
    assert_eq!(cases.len(), 13);
    for case in cases {
        let storage = StorageType::from_ggml(case.number).expect("the type is supported");
        assert_eq!(storage.to_string(), case.name);
        let digits: Vec<char> = case.bytes.chars().collect();
        let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16);
        let bytes: Vec<u8> = digits
            .chunks(2)
            .map(|pair| byte(pair).expect("the fixture is hexadecimal"))
            .collect();
        let values = values_of(storage, &bytes, case.values.len());
        let largest = case
            .values
            .iter()
            .fold(0.0f32, |largest, value| largest.max(value.abs()));
        for (i, (value, expected)) in values.iter().zip(&case.values).enumerate() {
            // The reference multiplies in another order.
            assert!(
                (value - expected).abs() <= 1e-6 * largest,
                "{storage} value {i}: {value}, not {expected}"
            );
        }
    }
}
