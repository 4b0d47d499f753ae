//! The adapters that runs have trained, or why one has none.

use super::Session;
use crate::model::Adapters;

/// Why a run has no adapter to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAdapter {
    /// An index beyond the session's runs.
    #[error("there is no such run")]
    NoSuchRun,
    /// The factors of a run that diverged are gone.
    #[error(
        "this run diverged at step {0} and has no adapter; take another run, or train it with a smaller lr"
    )]
    Diverged(u32),
}

/// The runs that have an adapter, with all of these in one bank.
#[derive(Debug, Clone)]
pub struct TrainedRuns {
    /// Their indices, in the order of the settings.
    pub runs: Vec<u32>,
    /// Theirs in the same order; `None` where no run has one.
    pub adapters: Option<Adapters>,
}

impl Session {
    /// The adapter of run `run`, as a bank of one.
    ///
    /// # Errors
    /// No such run, or one that diverged.
    pub fn adapter(&self, run: usize) -> Result<Adapters, NoAdapter> {
        match self.diverged_at.get(run) {
            None => Err(NoAdapter::NoSuchRun),
            Some(Some(step)) => Err(NoAdapter::Diverged(*step)),
            Some(None) => Ok(self.adapters.run(run)),
        }
    }

    /// All runs that have not diverged.
    pub fn trained_runs(&self) -> TrainedRuns {
        let trained = (0..self.diverged_at.len()).filter(|&run| self.diverged_at[run].is_none());
        let runs: Vec<usize> = trained.collect();
        TrainedRuns {
            adapters: match runs.len() {
                0 => None,
                all if all == self.diverged_at.len() => Some(self.adapters.clone()),
                _ => Some(self.adapters.chosen(&runs, false)),
            },
            runs: runs.into_iter().map(|run| run as u32).collect(),
        }
    }
}
