//! e^x without a branch, so that a loop of it becomes vectors; the system's takes a call an element.

/// Above it the result would need the exponent of infinity.
const LARGEST: f32 = 88.0;
/// Below it the result is no normal number any more, and 0.
const SMALLEST: f32 = -87.0;

/// e^x to two units in the last place, for `x` up to 88, and e^88 above; 0 below -87. No number stays none.
///
/// x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r is a polynomial with the coefficients of Cephes' `expf` (Moshier 1992), and 2^n
/// is written into the exponent.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // What is added to a small number rounds it to a whole one, which stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let shifted = x.clamp(SMALLEST, LARGEST) * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = x.clamp(SMALLEST, LARGEST) - whole * LN_2_HIGH - whole * LN_2_LOW;
    let polynomial = 1.987_569_1e-4;
    let polynomial = polynomial * rest + 1.398_199_9e-3;
    let polynomial = polynomial * rest + 8.333_452e-3;
    let polynomial = polynomial * rest + 4.166_579_6e-2;
    let polynomial = polynomial * rest + 1.666_666_5e-1;
    let polynomial = polynomial * rest + 0.5;
    let fraction = polynomial * rest * rest + rest + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    let result = fraction * power;
    if x < SMALLEST { 0.0 } else { result }
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_exponential_to_two_units_in_the_last_place() {
        for i in -87_000..=88_000 {
            let x = i as f32 / 1000.0;
            let (ours, exact) = (f64::from(exp(x)), f64::from(x).exp());
            let unit = exact * f64::from(f32::EPSILON);
            assert!(
                (ours - exact).abs() <= 2.0 * unit,
                "e^{x}: {ours} and {exact}"
            );
        }
    }

    #[test]
    fn ends_of_its_range_are_finite_or_nothing() {
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-3e4), 0.0);
        assert!(exp(f32::INFINITY).is_finite());
        assert!(exp(f32::NAN).is_nan());
        assert_eq!(sigmoid(-1e9), 1.0 / (1.0 + exp(88.0)));
        assert_eq!(sigmoid(1e9), 1.0);
    }
}
