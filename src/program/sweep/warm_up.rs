//! Schedules of a plan: a warm-up in steps, or as a share of them.

use anyhow::{Result, ensure};
use riemann_lora::optim::{Decay, Schedule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A schedule whose warm-up is told in one of two ways.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedSchedule {
    /// Steps of the warm-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warmup_steps: Option<u32>,
    /// The same as a share of all steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warmup_share: Option<f64>,
    /// Shape after the warm-up.
    decay: Decay,
}

impl PlannedSchedule {
    /// The schedule of a run of `steps`.
    ///
    /// # Errors
    /// A warm-up that is told in no way or in both, or longer than the run.
    pub fn of_steps(self, steps: u32) -> Result<Schedule> {
        let warmup_steps = match (self.warmup_steps, self.warmup_share) {
            (Some(warmup), None) => {
                ensure!(
                    warmup <= steps,
                    "warmup_steps is {warmup}; the run has only {steps}"
                );
                warmup
            }
            (None, Some(share)) => {
                ensure!(
                    (0.0..=1.0).contains(&share),
                    "warmup_share is {share}; it must be between 0 and 1"
                );
                (share * f64::from(steps)).round() as u32
            }
            _ => anyhow::bail!("a schedule needs either warmup_steps or warmup_share"),
        };
        Ok(Schedule {
            warmup_steps,
            decay: self.decay,
        })
    }
}

/// What must be said of a warm-up that is none; the ramp is Hugging Face's, which begins at rate 0.
pub fn remark(schedule: Schedule) -> Option<&'static str> {
    (schedule.warmup_steps == 1).then_some(
        "a warm-up of one step is none: the ramp begins at rate 0, so that the first step does nothing and the second \
         has the full rate; take 2 or more for a warm-up, or 0 for none",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(json: &str) -> Result<Schedule> {
        serde_json::from_str::<PlannedSchedule>(json)?.of_steps(50)
    }

    #[test]
    fn steps_and_shares_say_the_same() -> Result<()> {
        let steps = schedule(r#"{"warmup_steps": 5, "decay": "linear"}"#)?;
        assert_eq!(
            (steps.warmup_steps, steps.decay),
            (5, Decay::Linear),
            "{steps:?}"
        );
        assert_eq!(
            schedule(r#"{"warmup_share": 0.1, "decay": "linear"}"#)?,
            steps
        );
        Ok(())
    }

    #[test]
    fn what_is_no_warm_up_is_refused() {
        for (json, words) in [
            (r#"{"decay": "linear"}"#, "either"),
            (
                r#"{"warmup_steps": 1, "warmup_share": 0.1, "decay": "linear"}"#,
                "either",
            ),
            (r#"{"warmup_steps": 51, "decay": "linear"}"#, "only 50"),
            (
                r#"{"warmup_share": 1.5, "decay": "linear"}"#,
                "between 0 and 1",
            ),
        ] {
            let error = schedule(json).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[test]
    fn one_step_is_remarked_upon() {
        let of = |warmup_steps| {
            let schedule = Schedule {
                warmup_steps,
                decay: Decay::Linear,
            };
            // What is said has to be so.
            assert_eq!(schedule.factor(0, 50) == 0.0, warmup_steps > 0);
            remark(schedule)
        };
        assert_eq!([of(0), of(2)], [None, None]);
        assert!(of(1).is_some_and(|words| words.contains("rate 0")));
    }
}
