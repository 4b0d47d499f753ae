//! Sums in as many lanes as fill vectors, which one sum after the other would not.

/// Σ left · right in `LANES` sums side by side.
#[inline]
pub fn dot<const LANES: usize>(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    for (left, right) in left.iter().zip(right) {
        for lane in 0..LANES {
            sums[lane] += left[lane] * right[lane];
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(l, r)| l * r).sum();
    sums.iter().sum::<f32>() + rest
}

/// Σ values in `LANES` sums side by side, which over many values is also more exact than one.
#[cfg(not(feature = "webgpu"))]
#[inline]
pub fn sum<const LANES: usize>(values: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += chunk[lane];
        }
    }
    sums.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// The largest value, found in `LANES` lanes side by side; −∞ of none.
#[cfg(not(feature = "webgpu"))]
#[inline]
pub fn largest<const LANES: usize>(values: &[f32]) -> f32 {
    let larger = |left: f32, right: f32| if right > left { right } else { left };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = larger(lanes[lane], chunk[lane]);
        }
    }
    lanes
        .into_iter()
        .chain(rest.iter().copied())
        .fold(f32::NEG_INFINITY, larger)
}

#[cfg(all(test, not(feature = "webgpu")))]
mod tests {
    use super::*;

    #[test]
    fn values_beside_whole_lanes_count_too() {
        let values: Vec<f32> = (1..=37).map(|i| i as f32).collect();
        assert_eq!(sum::<16>(&values), 703.0);
        assert_eq!(dot::<8>(&values, &values), 17575.0);
        assert_eq!(dot::<8>(&[], &[]), 0.0);
        for place in [0, 15, 16, 36] {
            let mut values = vec![-3.0; 37];
            values[place] = -2.0;
            assert_eq!(largest::<16>(&values), -2.0);
        }
        assert_eq!(largest::<16>(&[]), f32::NEG_INFINITY);
    }
}
