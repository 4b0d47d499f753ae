//! The loss on held-out examples, batch by batch.

use super::BatchLosses;

/// Sums over the batches so far; whoever drives them can report and stop in between.
#[derive(Debug, Clone)]
pub struct Evaluation {
    sums: Vec<f64>,
    count: usize,
}

impl Evaluation {
    /// Nothing yet, for `runs` runs.
    pub fn new(runs: usize) -> Self {
        Self {
            sums: vec![0.0; runs],
            count: 0,
        }
    }

    /// Takes in a batch; every counted label weighs the same, whatever batch it is in.
    pub fn add(&mut self, losses: &BatchLosses) {
        for (sum, loss) in self.sums.iter_mut().zip(&losses.sums) {
            *sum += loss;
        }
        self.count += losses.count;
    }

    /// Mean cross entropy of each run in nats; `None` where it is not finite or the run has diverged.
    pub fn means(&self, diverged_at: &[Option<u32>]) -> Vec<Option<f64>> {
        self.sums
            .iter()
            .map(|sum| sum / self.count as f64)
            .zip(diverged_at)
            .map(|(loss, diverged)| (loss.is_finite() && diverged.is_none()).then_some(loss))
            .collect()
    }
}
