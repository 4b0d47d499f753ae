//! Which learning rates a method is tried at.

use anyhow::{Result, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most learning rates of one method: more is a slip in `per_decade`.
const MOST: usize = 200;

/// A list, or equal steps of a decade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Grid {
    /// Rising learning rates.
    List(Vec<f64>),
    /// Equal ratios.
    Decades(Decades),
}

/// Learning rates with equal ratios, from one to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decades {
    /// The first.
    from: f64,
    /// The last, or where there is none at this distance the one before.
    to: f64,
    /// Steps that multiply by ten.
    per_decade: u32,
}

impl Grid {
    /// The learning rates, rising. Those of equal steps have three figures, so that grids of several
    /// methods meet.
    ///
    /// # Errors
    /// A grid that is empty, not rising or not above 0, with what is allowed.
    pub fn lrs(&self) -> Result<Vec<f64>> {
        let lrs = match self {
            Self::List(lrs) => lrs.clone(),
            Self::Decades(decades) => decades.lrs()?,
        };
        let rising = lrs.windows(2).all(|pair| pair[0] < pair[1]);
        let allowed = lrs.iter().all(|lr| lr.is_finite() && *lr > 0.0);
        ensure!(
            rising && allowed && !lrs.is_empty(),
            "lrs is {lrs:?}; it must be a rising list of finite numbers above 0"
        );
        Ok(lrs)
    }
}

impl Decades {
    fn lrs(&self) -> Result<Vec<f64>> {
        let Self {
            from,
            to,
            per_decade,
        } = *self;
        ensure!(
            from > 0.0 && from.is_finite() && to >= from && to.is_finite() && per_decade > 0,
            "lrs goes from {from:e} to {to:e} with {per_decade} steps a decade; it must go up from above 0 with 1 or more"
        );
        let steps = f64::from(per_decade) * (to / from).log10();
        // The logarithm of a ratio like 1000 may fall short of 3 by a rounding.
        let steps = (steps + 1e-6).floor() as usize;
        ensure!(
            steps < MOST,
            "lrs has {} learning rates; {MOST} are the most",
            steps + 1
        );
        let lr = |index: usize| from * 10f64.powf(index as f64 / f64::from(per_decade));
        Ok((0..=steps).map(|index| three_figures(lr(index))).collect())
    }
}

/// The number as it is written with three figures.
pub fn three_figures(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lrs(json: &str) -> Result<Vec<f64>> {
        serde_json::from_str::<Grid>(json)?.lrs()
    }

    #[test]
    fn decades_are_cut_into_equal_ratios() -> Result<()> {
        let quarters = lrs(r#"{"from": 1e-4, "to": 1e-3, "per_decade": 4}"#)?;
        assert_eq!(quarters, [1e-4, 1.78e-4, 3.16e-4, 5.62e-4, 1e-3]);
        let long = lrs(r#"{"from": 1e-4, "to": 1e-1, "per_decade": 4}"#)?;
        assert_eq!((long.len(), long[12]), (13, 1e-1));
        let cut = lrs(r#"{"from": 1, "to": 5, "per_decade": 2}"#)?;
        assert_eq!(cut, [1.0, 3.16]);
        assert_eq!(lrs("[1, 2.5]")?, [1.0, 2.5]);
        Ok(())
    }

    #[test]
    fn what_makes_no_grid_is_refused() {
        for (json, words) in [
            ("[]", "rising list"),
            ("[1, 0.5]", "rising list"),
            ("[-1]", "above 0"),
            (r#"{"from": 1, "to": 0.1, "per_decade": 2}"#, "must go up"),
            (r#"{"from": 0, "to": 1, "per_decade": 2}"#, "above 0"),
            (
                r#"{"from": 1, "to": 10, "per_decade": 0}"#,
                "0 steps a decade",
            ),
            (
                r#"{"from": 1e-300, "to": 1, "per_decade": 9}"#,
                "200 are the most",
            ),
        ] {
            let error = lrs(json).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }
}
