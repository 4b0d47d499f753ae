//! At which learning rates a run ends above the base that it started from.

/// Share of seeds that end above the base or diverge, at each learning rate. `seeds` are indices, and may repeat.
///
/// # Shapes
/// - `losses`: [learning rate][seed]
pub fn shares(losses: &[Vec<Option<f64>>], seeds: &[usize], base_loss: f64) -> Vec<f64> {
    let is_above = |loss: Option<f64>| loss.is_none_or(|loss| loss > base_loss);
    let share = |row: &Vec<Option<f64>>| {
        let above = seeds.iter().filter(|&&seed| is_above(row[seed])).count();
        above as f64 / seeds.len() as f64
    };
    losses.iter().map(share).collect()
}

/// log₁₀ of the learning rate at which the share first passes one half, on a straight line over log lr; NaN where it
/// does not on this grid.
pub fn half_rate(lrs: &[f64], shares: &[f64]) -> f64 {
    let crossing = |index: &usize| shares[index - 1] < 0.5 && shares[*index] >= 0.5;
    let Some(index) = (1..lrs.len()).find(crossing) else {
        return f64::NAN;
    };
    let (from, to) = (lrs[index - 1].log10(), lrs[index].log10());
    let part = (0.5 - shares[index - 1]) / (shares[index] - shares[index - 1]);
    from + part * (to - from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_seeds_end_above_between_two_rates() {
        let losses = [
            vec![Some(2.0), Some(2.0), Some(2.0), Some(2.0)],
            vec![Some(2.0), Some(4.0), Some(2.0), Some(2.0)],
            vec![None, Some(4.0), Some(3.5), Some(3.0)],
        ];
        let found = shares(&losses, &[0, 1, 2, 3], 3.0);
        assert_eq!(found, [0.0, 0.25, 0.75]);
        // Half-way between ¼ and ¾.
        let rate = half_rate(&[1e-2, 1e-1, 1.0], &found);
        assert!((rate + 0.5).abs() < 1e-12, "{rate}");
        assert_eq!(shares(&losses, &[1, 1], 3.0), [0.0, 1.0, 1.0]);
        assert!(half_rate(&[1e-2, 1e-1], &[0.0, 0.25]).is_nan());
    }
}
