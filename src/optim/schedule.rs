//! Learning rate over steps: linear warm-up, then constant, linear or cosine decay.

use serde::{Deserialize, Serialize};

/// What happens after the warm-up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// Stays at `lr`.
    #[default]
    Constant,
    /// Falls in a straight line to 0 at the last step.
    Linear,
    /// Falls along half a cosine to 0 at the last step.
    Cosine,
}

/// Warm-up and decay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Steps over which the rate rises from 0.
    pub warmup_steps: u32,
    /// Shape after the warm-up.
    pub decay: Decay,
}

impl Schedule {
    /// The factor on `lr` at `step`, which counts from 0, of `steps` in all.
    ///
    /// As HF's `get_linear_schedule_with_warmup` and `get_cosine_schedule_with_warmup`: the first
    /// step of a warm-up has factor 0, and a decay would reach 0 one step after the last.
    pub fn factor(&self, step: u32, steps: u32) -> f64 {
        if step < self.warmup_steps {
            return f64::from(step) / f64::from(self.warmup_steps);
        }
        let decaying = f64::from(steps.saturating_sub(self.warmup_steps).max(1));
        let progress = (f64::from(step - self.warmup_steps) / decaying).min(1.0);
        match self.decay {
            Decay::Constant => 1.0,
            Decay::Linear => 1.0 - progress,
            Decay::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(decay: Decay, warmup_steps: u32, steps: u32) -> Vec<f64> {
        let schedule = Schedule {
            warmup_steps,
            decay,
        };
        (0..steps)
            .map(|step| schedule.factor(step, steps))
            .collect()
    }

    #[test]
    fn linear_warm_up_and_decay_are_those_of_hf() {
        let expected = [0.0, 0.5, 1.0, 0.75, 0.5, 0.25];
        assert_eq!(factors(Decay::Linear, 2, 6), expected);
    }

    #[test]
    fn cosine_passes_one_half_in_the_middle() {
        let factors = factors(Decay::Cosine, 0, 4);
        let expected = [1.0, 0.853_553_390_593_273_8, 0.5, 0.146_446_609_406_726_24];
        for (factor, expected) in factors.iter().zip(expected) {
            assert!((factor - expected).abs() < 1e-15, "{factor} {expected}");
        }
    }

    #[test]
    fn constant_stays_and_steps_past_the_end_stay_in_range() {
        assert_eq!(factors(Decay::Constant, 0, 3), [1.0, 1.0, 1.0]);
        let schedule = Schedule {
            warmup_steps: 5,
            decay: Decay::Linear,
        };
        assert_eq!(schedule.factor(9, 5), 0.0);
        assert_eq!(schedule.factor(4, 5), 0.8);
    }
}
