//! Damage to bytes.

use super::{Random, numbers::number};

/// Damages 1 to 3 places of the first `reach` bytes.
pub fn wound(random: &mut Random, bytes: &mut Vec<u8>, reach: usize) {
    for _ in 0..1 + random.below(3) {
        let reach = reach.min(bytes.len());
        if reach == 0 {
            return;
        }
        wound_once(random, bytes, reach);
    }
}

fn wound_once(random: &mut Random, bytes: &mut Vec<u8>, reach: usize) {
    let place = random.below(reach);
    let word = place..(place + 8).min(bytes.len());
    match random.below(12) {
        0..4 => bytes[place] ^= 1 << random.below(8),
        4 | 5 => bytes[place] = random.byte(),
        6 => bytes[word].fill(0xFF),
        7 => {
            let value = number(random).to_le_bytes();
            let length = word.len();
            bytes[word].copy_from_slice(&value[..length]);
        }
        8 => {
            let end = (place + random.below(64)).min(reach);
            bytes.drain(place..end);
        }
        9 => {
            let more: Vec<u8> = (0..1 + random.below(32)).map(|_| random.byte()).collect();
            bytes.splice(place..place, more);
        }
        10 => {
            let from = random.below(reach);
            let end = (from + random.below(64)).min(reach);
            let copy = bytes[from..end].to_vec();
            bytes.splice(place..place, copy);
        }
        _ if random.once_in(3) => bytes.truncate(random.below(bytes.len())),
        _ => bytes[place] = 0,
    }
}
