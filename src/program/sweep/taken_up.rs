//! Runs of a result file that need not be trained again.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{finished::Finished, plan::Plan};

/// How far the base's loss may be from the file's, as a share: another processor sums in another order.
const SAME_LOSS: f64 = 1e-4;

/// What of a result file says which runs it holds.
#[derive(Debug, Deserialize)]
struct Held {
    base_loss: f64,
    base_report_loss: Option<f64>,
    plan: Plan,
    runs: Vec<Finished>,
}

/// Runs of the result file at `path` that `known` does not have and that `plan` would train to the same numbers: none
/// where there is no file. What is taken up, and what is not, is said.
///
/// # Errors
/// A file that cannot be read, so that it is not overwritten.
pub fn from_file(
    path: &Path,
    plan: &Plan,
    base_losses: &[f64],
    known: &[Finished],
) -> Result<Vec<Finished>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let name = || path.display().to_string();
    let text = std::fs::read(path).with_context(name)?;
    let held: Held = serde_json::from_slice(&text)
        .with_context(|| format!("{}: this is no result of a sweep; move it away", name()))?;
    let (taken, left) = choose(held, plan, base_losses, known);
    if taken.len() + left > 0 {
        eprintln!(
            "{}: {} finished runs are taken up; {left} are of other settings, data or model, and are not",
            name(),
            taken.len()
        );
    }
    Ok(taken)
}

/// Runs to take up, and how many are of something else.
fn choose(
    held: Held,
    plan: &Plan,
    base_losses: &[f64],
    known: &[Finished],
) -> (Vec<Finished>, usize) {
    let theirs = [Some(held.base_loss), held.base_report_loss];
    let theirs: Vec<f64> = theirs.into_iter().flatten().collect();
    let same_base = theirs.len() == base_losses.len()
        && theirs
            .iter()
            .zip(base_losses)
            .all(|(one, other)| (one - other).abs() <= SAME_LOSS * other.abs());
    let is_known = |run: &Finished| known.iter().any(|k| k.result.point == run.result.point);
    let new: Vec<Finished> = held.runs.into_iter().filter(|run| !is_known(run)).collect();
    let (taken, left): (Vec<_>, Vec<_>) = new
        .into_iter()
        .partition(|run| same_base && plan.agrees_on(&run.result.point, &held.plan));
    (taken, left.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use riemann_lora::train::sweep::{SweepPoint, SweepResult};

    fn plan(steps: u32, lrs: &str, damping: f64) -> Result<Plan> {
        let text = format!(
            r#"{{"session": {{"rank": 4, "alpha": 32, "dropout": 0, "targets": ["q_proj"], "batch_size": 4, "steps": {steps}}},
            "validation_examples": 8, "seeds": [0], "methods": [
                {{"name": "x", "preset": "scaled-gd", "lrs": {lrs}, "damping": {damping}}},
                {{"name": "y", "preset": "sgd", "lrs": {lrs}}}]}}"#
        );
        Ok(serde_json::from_str(&text)?)
    }

    fn run(method: &str, lr: f64) -> Finished {
        Finished {
            result: SweepResult {
                point: SweepPoint {
                    method: method.into(),
                    lr,
                    seed: 0,
                },
                validation_loss: Some(2.0),
                diverged_at: None,
                losses: vec![],
            },
            report_loss: None,
            processor_seconds: None,
            factors: vec![],
        }
    }

    /// Taken up of a file with both methods at 0.1, and left.
    fn chosen(
        now: &Plan,
        base_losses: &[f64],
        known: &[Finished],
    ) -> Result<(Vec<Finished>, usize)> {
        let held = Held {
            base_loss: 3.0,
            base_report_loss: None,
            plan: plan(10, "[0.1]", 1e-2)?,
            runs: vec![run("x", 0.1), run("y", 0.1)],
        };
        Ok(choose(held, now, base_losses, known))
    }

    #[test]
    fn runs_of_the_same_settings_are_taken_up_and_no_others() -> Result<()> {
        // A longer grid is no other setting of the runs that were done.
        let longer = plan(10, "[0.1, 1]", 1e-2)?;
        let both = vec![run("x", 0.1), run("y", 0.1)];
        assert_eq!(chosen(&longer, &[3.0], &[])?, (both.clone(), 0));
        assert_eq!(
            chosen(&longer, &[3.0], &both[..1])?,
            (both[1..].to_vec(), 0)
        );
        // Another base, other data.
        assert_eq!(chosen(&longer, &[3.1], &[])?, (vec![], 2));
        assert_eq!(chosen(&longer, &[3.0, 3.0], &[])?, (vec![], 2));
        assert_eq!(chosen(&plan(11, "[0.1]", 1e-2)?, &[3.0], &[])?, (vec![], 2));
        let damped = plan(10, "[0.1]", 1e-3)?;
        assert_eq!(chosen(&damped, &[3.0], &[])?, (both[1..].to_vec(), 1));
        Ok(())
    }
}
