//! The loss on held-out examples, batch by batch.

use web_time::Instant;

use super::{BatchLosses, EvaluationReport, Session, SessionError, Trainable};

/// Sums over the batches so far; whoever drives them can report and stop in between.
#[derive(Debug, Clone)]
pub struct Evaluation(BatchLosses);

impl Evaluation {
    /// Nothing yet, for `runs` runs.
    pub fn new(runs: usize) -> Self {
        Self(BatchLosses::none(runs))
    }

    /// Takes in a batch.
    pub fn add(&mut self, losses: &BatchLosses) {
        self.0.add(losses);
    }

    /// Mean cross entropy of each run in nats; `None` where it is not finite or the run has diverged.
    pub fn means(&self, diverged_at: &[Option<u32>]) -> Vec<Option<f64>> {
        self.0
            .means()
            .into_iter()
            .zip(diverged_at)
            .map(|(loss, diverged)| (loss.is_finite() && diverged.is_none()).then_some(loss))
            .collect()
    }
}

/// Losses of all runs of `session` on held-out batches. `went_on` is told the rows so far after each batch, and ends the
/// evaluation by answering false, which gives `None`.
///
/// # Errors
/// A batch longer than the base's context, or a device that failed.
pub async fn evaluate<M: Trainable>(
    session: &Session,
    model: &M,
    batches: impl IntoIterator<Item = M::Batch>,
    mut went_on: impl AsyncFnMut(usize) -> bool,
) -> Result<Option<EvaluationReport>, SessionError> {
    let started = Instant::now();
    let mut evaluation = Evaluation::new(session.settings().runs.len());
    let mut rows = 0;
    for batch in batches {
        evaluation.add(&session.evaluate(model, &batch).await?);
        rows += M::rows(&batch);
        if !went_on(rows).await {
            return Ok(None);
        }
    }
    Ok(Some(EvaluationReport {
        step: session.steps_done(),
        losses: evaluation.means(session.diverged_at()),
        seconds: started.elapsed().as_secs_f64(),
    }))
}
