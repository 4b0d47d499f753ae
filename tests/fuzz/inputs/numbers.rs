//! Numbers at which code goes wrong.

use super::Random;

const EDGES: [u64; 27] = [
    0,
    1,
    2,
    3,
    7,
    8,
    31,
    32,
    33,
    64,
    255,
    256,
    257,
    1000,
    65_535,
    65_536,
    1 << 20,
    (1 << 20) + 1,
    1 << 26,
    (1 << 31) - 1,
    1 << 31,
    u32::MAX as u64,
    1 << 32,
    1 << 53,
    (1 << 63) - 1,
    1 << 63,
    u64::MAX,
];

/// A number of any size, mostly one beside an edge.
pub fn number(random: &mut Random) -> u64 {
    match random.below(6) {
        0 => random.below(300) as u64,
        1 => random.word(),
        2 => random.word() >> random.below(64),
        3 => random
            .pick(&EDGES)
            .wrapping_add(random.below(3) as u64)
            .wrapping_sub(1),
        _ => *random.pick(&EDGES),
    }
}
