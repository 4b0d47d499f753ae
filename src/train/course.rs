//! A training from its next step to its end: what is due at which step, whoever trains.

use super::{Session, SessionError, StepReport, Trainable};

/// When a training is measured and kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Course {
    /// Steps between two validations. The end is one too; `Some(0)` is the end alone, and `None` never.
    pub evaluate_every: Option<u32>,
    /// Steps between two checkpoints; 0 is a checkpoint only where the training is stopped.
    pub checkpoint_every: u32,
}

/// Where a training has come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Milestone<'a> {
    /// A step was done.
    Step(&'a StepReport),
    /// Validation losses are due.
    Evaluation,
    /// A checkpoint is due.
    Checkpoint,
}

/// How a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its steps are done, or all its runs have diverged.
    Finished,
    /// It was stopped, and a checkpoint was due.
    Stopped,
}

impl Course {
    /// What is due after step `step`, in the order in which it is done.
    fn due(&self, step: u32, is_finished: bool, stops: bool) -> Vec<Milestone<'static>> {
        let at = |every: u32| every > 0 && step.is_multiple_of(every);
        let checkpoint = stops || at(self.checkpoint_every);
        let evaluation = !stops
            && self
                .evaluate_every
                .is_some_and(|every| is_finished || at(every));
        let checkpoint = checkpoint.then_some(Milestone::Checkpoint);
        let evaluation = evaluation.then_some(Milestone::Evaluation);
        // A checkpoint after what was measured at its step, so that a curve which goes on from there lacks nothing.
        evaluation.into_iter().chain(checkpoint).collect()
    }

    /// Trains `session` on what `batch` gives for a step, from 0, until it is finished or `stops` says so after a step;
    /// `at` does what is due.
    ///
    /// # Errors
    /// A device that failed, a batch that cannot be trained on, or what `at` gives.
    pub async fn train<M: Trainable, E: From<SessionError>>(
        &self,
        session: &mut Session,
        model: &M,
        mut batch: impl FnMut(u64) -> M::Batch,
        stops: impl Fn() -> bool,
        mut at: impl AsyncFnMut(&Session, Milestone<'_>) -> Result<(), E>,
    ) -> Result<End, E> {
        while !session.is_finished() {
            let batch = batch(u64::from(session.steps_done()));
            let report = session.step(model, &batch).await?;
            at(session, Milestone::Step(&report)).await?;
            let stops = stops();
            for milestone in self.due(session.steps_done(), session.is_finished(), stops) {
                at(session, milestone).await?;
            }
            if stops {
                return Ok(End::Stopped);
            }
        }
        Ok(End::Finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_follows_from_the_step_the_end_and_a_stop() {
        use Milestone::{Checkpoint, Evaluation};
        let course = |evaluate_every, checkpoint_every| Course {
            evaluate_every,
            checkpoint_every,
        };
        let both = course(Some(4), 2);
        assert_eq!(both.due(3, false, false), []);
        assert_eq!(both.due(2, false, false), [Checkpoint]);
        assert_eq!(both.due(4, false, false), [Evaluation, Checkpoint]);
        assert_eq!(both.due(5, true, false), [Evaluation]);
        // A stop waits for a checkpoint and for nothing else.
        assert_eq!(both.due(4, false, true), [Checkpoint]);
        let at_the_end = course(Some(0), 0);
        assert_eq!(at_the_end.due(4, false, false), []);
        assert_eq!(at_the_end.due(5, true, false), [Evaluation]);
        assert_eq!(course(None, 0).due(5, true, false), []);
    }
}
