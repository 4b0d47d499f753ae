//! An interval of confidence, and what it says.

use serde::Serialize;

use super::student_t;

/// Share of such intervals that hold the true value.
pub const CONFIDENCE: f64 = 0.95;

/// From `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether all of it is below `value`.
    pub fn below(self, value: f64) -> bool {
        self.high < value
    }

    /// Whether all of it is above `value`.
    pub fn above(self, value: f64) -> bool {
        self.low > value
    }
}

/// Mean of numbers; NaN of none.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The interval of the mean by Student's t; `None` with fewer than two values, or one that is not finite.
pub fn of_mean(values: &[f64]) -> Option<Interval> {
    let count = values.len() as f64;
    if values.len() < 2 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = (squares / (count - 1.0) / count).sqrt();
    let reach = student_t::two_sided(CONFIDENCE, count - 1.0) * error;
    Some(Interval {
        low: mean - reach,
        high: mean + reach,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_that_of_t() {
        // Mean 2, standard deviation 1, error 1/√3, t(2) = 4.3027.
        let found = of_mean(&[1.0, 2.0, 3.0]).expect("three numbers have one");
        assert!((found.low - (2.0 - 2.484_14)).abs() < 1e-4, "{found:?}");
        assert!((found.high - (2.0 + 2.484_14)).abs() < 1e-4, "{found:?}");
        assert_eq!(of_mean(&[1.0]), None);
        assert_eq!(of_mean(&[1.0, f64::NAN]), None);
    }

    #[test]
    fn an_interval_excludes_what_is_outside() {
        let interval = Interval {
            low: -2.0,
            high: -1.0,
        };
        assert!(interval.below(0.0) && !interval.above(0.0));
        assert!(interval.above(-3.0) && !interval.below(-1.0) && !interval.above(-2.0));
    }
}
