//! Shuffles that are the same on every machine and in every version.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Stream of the split; epochs have the streams from 0.
pub(super) const SPLIT_STREAM: u64 = u64::MAX;

/// The numbers from 0 to `count`, shuffled.
///
/// ChaCha8 with the key `seed` (little-endian, then 24 zero bytes) and the stream `stream`; Fisher and Yates from the last
/// place down, place i exchanged with one of 0 to i that is a 64-bit draw modulo i + 1, where draws at or above the
/// largest multiple of i + 1 below 2⁶⁴ are thrown away. Written out here, because `rand`'s own ranges differ from version to version
/// and between 32 and 64 bits.
pub fn shuffled(count: u32, seed: u64, stream: u64) -> Vec<u32> {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut random = ChaCha8Rng::from_seed(key);
    random.set_stream(stream);
    let mut order: Vec<u32> = (0..count).collect();
    for place in (1..order.len()).rev() {
        let other = below(place as u64 + 1, &mut random);
        order.swap(place, other as usize);
    }
    order
}

/// A number from 0 to `bound`, all equally likely.
fn below(bound: u64, random: &mut impl RngCore) -> u64 {
    let largest = u64::MAX - u64::MAX % bound;
    loop {
        let draw = random.next_u64();
        if draw < largest {
            return draw % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_everywhere() {
        // From a second implementation, of ChaCha8 too, in Python.
        assert_eq!(shuffled(10, 0, 0), [3, 0, 5, 9, 6, 7, 2, 4, 1, 8]);
        assert_eq!(shuffled(10, 0, 1), [0, 1, 4, 6, 7, 9, 8, 2, 3, 5]);
        assert_eq!(shuffled(10, 1, 0), [5, 6, 9, 0, 8, 4, 3, 2, 1, 7]);
    }

    #[test]
    fn each_number_once() {
        assert!(shuffled(0, 0, 0).is_empty());
        assert_eq!(shuffled(1, 0, 0), [0]);
        let mut order = shuffled(1000, 7, 3);
        assert_ne!(order, Vec::from_iter(0..1000));
        order.sort_unstable();
        assert_eq!(order, Vec::from_iter(0..1000));
    }

    #[test]
    fn all_orders_of_three_are_equally_likely() {
        let mut seen = std::collections::BTreeMap::new();
        for stream in 0..6000 {
            *seen.entry(shuffled(3, 5, stream)).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6);
        // Four standard deviations of a binomial with 6000 draws at 1/6 are 115.
        assert!(
            seen.values().all(|count| (885..=1115).contains(count)),
            "{seen:?}"
        );
    }
}
