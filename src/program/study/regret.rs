//! What a learning rate that is off costs.

/// How far either side of the best, in decades.
const REACH: f64 = 1.0;

/// What a seed loses on average by a learning rate that is up to a decade off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regret {
    /// Mean over log lr of the loss above that of the best, in nats.
    pub mean: f64,
    /// Whether the grid ends within the decade on either side, so that only a part of it is counted.
    pub is_cut: bool,
}

/// The regret around `lrs[best]`, losses capped at `base_loss`: whoever ends above the base throws the adapter away, and
/// so does who diverges. Losses are straight lines over log lr between learning rates. `None` where the best diverged or
/// there is no other learning rate.
pub fn regret(lrs: &[f64], losses: &[Option<f64>], best: usize, base_loss: f64) -> Option<Regret> {
    let at_best = losses[best]?.min(base_loss);
    let capped = |index: usize| losses[index].unwrap_or(f64::INFINITY).min(base_loss);
    let place = |index: usize| (lrs[index] / lrs[best]).log10();
    let (mut area, mut width) = (0.0, 0.0);
    for index in 1..lrs.len() {
        let (from, to) = (place(index - 1), place(index));
        let (low, high) = (from.max(-REACH), to.min(REACH));
        if low >= high {
            continue;
        }
        let slope = (capped(index) - capped(index - 1)) / (to - from);
        let middle = capped(index - 1) + slope * (0.5 * (low + high) - from);
        area += (high - low) * middle;
        width += high - low;
    }
    // A decade of rates with three figures may fall short by a rounding.
    let is_cut = width < 2.0 * REACH - 0.01;
    (width > 0.0).then(|| Regret {
        mean: area / width - at_best,
        is_cut,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_above_the_best_is_averaged() {
        let lrs = [1e-3, 1e-2, 1e-1, 1.0];
        // From 3 down to 2 over a decade, then up to 4 over the next: 0.5 and 1 above the best on average.
        let losses = [Some(3.0), Some(2.0), Some(4.0), Some(9.0)];
        let found = regret(&lrs, &losses, 1, 10.0).expect("a regret");
        assert!(
            (found.mean - 0.75).abs() < 1e-12 && !found.is_cut,
            "{found:?}"
        );
        // Capped at 3 the second decade is 0.5 above, too, and so it is where the run diverged.
        let capped = regret(&lrs, &losses, 1, 3.0).expect("a regret");
        assert!((capped.mean - 0.5).abs() < 1e-12, "{capped:?}");
        let diverged = [losses[0], losses[1], None, None];
        assert_eq!(regret(&lrs, &diverged, 1, 3.0), Some(capped));
    }

    #[test]
    fn a_decade_ends_between_two_rates_and_a_grid_before_it() {
        // The best is the first; of two decades up to the next one is counted, on which the loss rises by 1.
        let found = regret(&[1.0, 100.0], &[Some(2.0), Some(4.0)], 0, 9.0).expect("a regret");
        assert!(
            (found.mean - 0.5).abs() < 1e-12 && found.is_cut,
            "{found:?}"
        );
        assert_eq!(regret(&[1.0], &[Some(2.0)], 0, 9.0), None);
        assert_eq!(regret(&[1.0, 10.0], &[None, Some(2.0)], 0, 9.0), None);
    }
}
