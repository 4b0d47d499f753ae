//! Quantiles of Student's t distribution.

/// The value that |t| of `freedom` degrees stays below with probability `confidence`.
///
/// The distribution function is the regularised incomplete beta function, which is inverted by halving an interval:
/// P(|t| ≤ x) = 1 − I(ν / (ν + x²); ν/2, 1/2).
pub fn two_sided(confidence: f64, freedom: f64) -> f64 {
    let inside = |x: f64| 1.0 - incomplete_beta(freedom / (freedom + x * x), freedom / 2.0, 0.5);
    let (mut low, mut high) = (0.0, 1.0);
    while inside(high) < confidence && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if inside(middle) < confidence {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The regularised incomplete beta function I(x; a, b), by its continued fraction (DLMF 8.17.22).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges quickly below the mean only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let front = (a * x.ln() + b * (1.0 - x).ln() - beta).exp() / a;
    front / fraction(x, a, b)
}

/// 1 + d₁ / (1 + d₂ / (1 + …)), evaluated from a depth at which nothing changes any more.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const DEPTH: u32 = 400;
    let term = |index: u32| {
        let m = f64::from(index / 2);
        if index.is_multiple_of(2) {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        }
    };
    (1..=DEPTH)
        .rev()
        .fold(1.0, |rest, index| 1.0 + term(index) / rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // Freedom, confidence, and the tables' value with three places.
        for (freedom, confidence, expected) in [
            (1.0, 0.95, 12.706),
            (2.0, 0.95, 4.303),
            (4.0, 0.95, 2.776),
            (7.0, 0.95, 2.365),
            (30.0, 0.95, 2.042),
            (4.0, 0.99, 4.604),
            (10.0, 0.90, 1.812),
        ] {
            let found = two_sided(confidence, freedom);
            assert!(
                (found - expected).abs() < 5e-4,
                "{freedom} {confidence}: {found}"
            );
        }
        // With one degree t is Cauchy's: tan(π · 0.95 / 2).
        let cauchy = (std::f64::consts::PI * 0.475).tan();
        assert!((two_sided(0.95, 1.0) - cauchy).abs() < 1e-9);
        // With many it is the normal distribution's.
        assert!((two_sided(0.95, 1e6) - 1.959_964).abs() < 1e-5);
    }
}
