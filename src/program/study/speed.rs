//! How soon a run has learned.

/// Share of the steps over which training losses are averaged.
const WINDOW_SHARE: f64 = 0.05;

/// Mean of the last losses at each step from the first on that has enough of them behind it.
pub fn running_mean(losses: &[f64], window: usize) -> Vec<f64> {
    let window = window.max(1);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    losses.windows(window).map(mean).collect()
}

/// Steps after which losses are averaged, of a run of `steps`.
pub fn window(steps: usize) -> usize {
    ((steps as f64 * WINDOW_SHARE).round() as usize).max(1)
}

/// Steps until the running mean of the training loss is at or below `target`; `None` where it never is.
pub fn steps_to(losses: &[f64], window: usize, target: f64) -> Option<usize> {
    let means = running_mean(losses, window);
    means
        .iter()
        .position(|mean| *mean <= target)
        .map(|first| first + window.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_steps_do_not_decide() {
        let losses = [4.0, 1.0, 3.0, 2.0, 1.0];
        assert_eq!(running_mean(&losses, 2), [2.5, 2.0, 2.5, 1.5]);
        assert_eq!(steps_to(&losses, 2, 2.0), Some(3));
        assert_eq!(steps_to(&losses, 1, 2.0), Some(2));
        assert_eq!(steps_to(&losses, 2, 1.0), None);
        assert_eq!(steps_to(&[1.0], 2, 1.0), None);
        assert_eq!((window(500), window(3)), (25, 1));
    }
}
