//! The inputs of the works: numbers that every engine makes for itself, to the bit, and that no library has to agree on.
//! `benchmarks/peers/numbers.js` is the same in JavaScript.

/// What a tensor is; each has a stream of numbers of its own.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A frozen weight.
    Weight = 1,
    /// `lora_a`.
    A = 2,
    /// `lora_b`.
    B = 3,
    /// What comes in: activations or embeddings.
    Input = 4,
    /// A gradient of `lora_a`, for the optimizer alone.
    GradientA = 5,
    /// A gradient of `lora_b`, for the optimizer alone.
    GradientB = 6,
    /// Ids of the words to be predicted.
    Target = 7,
}

/// The stream of the tensor of `kind` on linear layer `place` of block `layer`.
pub fn stream(kind: Kind, layer: usize, place: usize) -> u32 {
    ((kind as u32) << 16) + (layer * 16 + place) as u32
}

/// `count` numbers, uniform in ±`bound`.
pub fn uniform(stream: u32, count: usize, bound: f32) -> Vec<f32> {
    (0..count as u32)
        .map(|index| {
            // 24 bits, which f32 holds exactly.
            let number = (hash(stream, index) >> 8) as f32;
            (number / 8_388_608.0 - 1.0) * bound
        })
        .collect()
}

/// `count` whole numbers below `limit`.
pub fn below(stream: u32, count: usize, limit: u32) -> Vec<i32> {
    (0..count as u32)
        .map(|index| (hash(stream, index) % limit) as i32)
        .collect()
}

/// Mixes the bits of a stream's number and a place in it, with the multipliers of Chris Wellons' `lowbias32`
/// (<https://nullprogram.com/blog/2018/07/31/>).
fn hash(stream: u32, index: u32) -> u32 {
    let mut bits = stream.wrapping_mul(0x9e37_79b9).wrapping_add(index);
    bits = (bits ^ (bits >> 16)).wrapping_mul(0x7feb_352d);
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x846c_a68b);
    bits ^ (bits >> 16)
}
