//! Intervals by drawing seeds anew.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::interval::{CONFIDENCE, Interval};

/// How often seeds are drawn.
const DRAWS: usize = 10_000;
/// Seed of the draws: the same report is the same text.
const SEED: u64 = 0;

/// The interval of a statistic of `count` seeds, from its values on seeds drawn with replacement. Draws in which the
/// statistic is not a number are left out; `None` where none is left, or with fewer than two seeds.
pub fn interval(count: usize, statistic: impl Fn(&[usize]) -> f64) -> Option<Interval> {
    if count < 2 {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut chosen = vec![0; count];
    let mut values: Vec<f64> = (0..DRAWS)
        .map(|_| {
            // The high word times the count: no count of seeds is large enough for its bias to be seen.
            let mut draw = || (u64::from(random.next_u32()) * count as u64) >> 32;
            chosen.iter_mut().for_each(|seed| *seed = draw() as usize);
            statistic(&chosen)
        })
        .filter(|value| !value.is_nan())
        .collect();
    values.sort_by(f64::total_cmp);
    let tail = 0.5 * (1.0 - CONFIDENCE);
    Some(Interval {
        low: quantile(&values, tail)?,
        high: quantile(&values, 1.0 - tail)?,
    })
}

/// A quantile of sorted values, in a straight line between neighbours.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    // Two infinities have no difference.
    if below == above {
        return Some(below);
    }
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let values = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&values, 0.0), Some(1.0));
        assert_eq!(quantile(&values, 0.5), Some(3.0));
        assert_eq!(quantile(&values, 1.0), Some(8.0));
        assert_eq!(quantile(&[f64::INFINITY; 2], 0.3), Some(f64::INFINITY));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn the_mean_of_two_seeds_is_drawn_with_its_probabilities() {
        // Means are 0, ½ and 1 with probabilities ¼, ½ and ¼, so that both ends are in the interval.
        let values = [0.0, 1.0];
        let mean = |seeds: &[usize]| seeds.iter().map(|&seed| values[seed]).sum::<f64>() / 2.0;
        let found = interval(2, mean);
        assert_eq!(
            found,
            Some(Interval {
                low: 0.0,
                high: 1.0
            })
        );
        let middle = interval(2, |seeds| f64::from(mean(seeds) == 0.5));
        assert_eq!(
            middle,
            Some(Interval {
                low: 0.0,
                high: 1.0
            })
        );
        assert_eq!(interval(1, mean), None);
        assert_eq!(interval(2, |_| f64::NAN), None);
    }

    #[test]
    fn many_seeds_give_the_normal_interval() {
        // 100 values with mean 0 and a deviation of 1: the mean's is 0.1, and its interval ±0.196.
        let value = |seed: usize| if seed.is_multiple_of(2) { 1.0 } else { -1.0 };
        let mean = |seeds: &[usize]| seeds.iter().map(|&seed| value(seed)).sum::<f64>() / 100.0;
        let Some(Interval { low, high }) = interval(100, mean) else {
            panic!("no interval");
        };
        assert!(
            (low + 0.196).abs() < 0.01 && (high - 0.196).abs() < 0.01,
            "{low} {high}"
        );
    }
}
