//! A finished run, as it is kept.

use riemann_lora::train::sweep::SweepResult;
use serde::{Deserialize, Serialize};

use super::factors::Factors;

/// What became of a run, and how it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// Its validation loss and its curve. Where validation is in halves, the loss is of the half that chooses.
    #[serde(flatten)]
    pub result: SweepResult,
    /// Validation loss of the half that reports; `None` where the run has diverged, or there are no halves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_loss: Option<f64>,
    /// Seconds of processor time, an equal share of its bank's; `None` where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processor_seconds: Option<f64>,
    /// Its factors at some steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub factors: Vec<Factors>,
}

/// To five figures, which is what single precision and a file of reasonable size leave.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_figures_are_kept() {
        assert_eq!(rounded(2.345_678), 2.3457);
        assert_eq!(rounded(-1.234_56e-9), -1.2346e-9);
        assert_eq!(rounded(0.0), 0.0);
        assert!(rounded(f64::NAN).is_nan());
    }

    #[test]
    fn runs_of_older_files_can_be_read() -> serde_json::Result<()> {
        let old = r#"{"method": "x", "lr": 0.1, "seed": 0, "validation_loss": 2.5, "diverged_at": null, "losses": [3.0]}"#;
        let run: Finished = serde_json::from_str(old)?;
        assert_eq!(run.result.validation_loss, Some(2.5));
        assert_eq!(
            serde_json::from_str::<Finished>(&serde_json::to_string(&run)?)?,
            run
        );
        Ok(())
    }
}
