//! Trains the banks of a sweep, several at once.

use std::collections::VecDeque;
use std::sync::Mutex;

use anyhow::{Context, Result};
use riemann_lora::{
    data::Dataset,
    train::{
        Course, End, Milestone, Session, StepReport, evaluate,
        settings::validate,
        sweep::{SweepPoint, SweepResult},
    },
};

use super::{
    factors::{factors, is_logged},
    finished::{Finished, rounded},
    folder::{Folder, Unfinished},
    plan::Plan,
    processor::ProcessorTime,
};
use crate::program::{LoadedModel, progress::Progress, stop::Stop};

/// Steps between checkpoints: about a minute on a laptop.
const STEPS_BETWEEN_CHECKPOINTS: u32 = 10;

/// A bank to train.
#[derive(Debug)]
pub struct Job {
    bank: Unfinished,
    checkpoint: Option<Vec<u8>>,
}

impl Job {
    /// A bank from its first step.
    pub fn new(points: Vec<SweepPoint>) -> Self {
        Self {
            bank: Unfinished::new(points),
            checkpoint: None,
        }
    }

    /// A bank from where it was stopped.
    pub fn resumed(bank: Unfinished, checkpoint: Vec<u8>) -> Self {
        Self {
            bank,
            checkpoint: Some(checkpoint),
        }
    }
}

/// What all banks of a sweep are trained with.
pub struct Workshop<'a> {
    pub base: &'a LoadedModel,
    pub plan: &'a Plan,
    /// One for each seed, to train on.
    pub datasets: &'a [(u32, Dataset)],
    /// What is validated on: all, or the half that chooses and the half that reports.
    pub validation: &'a [Dataset],
    pub folder: &'a Folder,
    pub stop: &'a Stop,
    /// Counts steps of runs.
    pub progress: &'a Progress,
    pub processor: &'a ProcessorTime,
}

impl Workshop<'_> {
    /// Checks all settings before hours are spent on some of them.
    ///
    /// # Errors
    /// The first setting that is out of range for this base.
    pub fn check(&self) -> Result<()> {
        for point in self.plan.wanted(&[], f64::INFINITY) {
            let settings = self.plan.session(std::slice::from_ref(&point))?;
            validate(&settings, &self.base.model.config)
                .with_context(|| format!("{} at {:e}", point.method, point.lr))?;
        }
        Ok(())
    }

    /// Validation losses before any step, which are those of the base, B being 0: one for each of `validation`.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn base_losses(&self) -> Result<Vec<f64>> {
        let points = self.plan.wanted(&[], f64::INFINITY);
        let settings = self.plan.session(&points[..1])?;
        let session = Session::new(&self.base.model, settings)?;
        let mut losses = Vec::new();
        for dataset in self.validation {
            let loss = self.evaluate(&session, dataset).await?[0];
            losses.push(loss.context("the base has no finite loss on the validation data")?);
        }
        Ok(losses)
    }

    /// Trains all jobs on `workers` threads. One that fails lets the others finish theirs.
    ///
    /// # Errors
    /// The first failure.
    pub fn run(&self, jobs: VecDeque<Job>, workers: usize) -> Result<()> {
        let steps = |job: &Job| {
            let done = job.bank.losses.iter().map(Vec::len).max().unwrap_or(0);
            job.bank.points.len() * (self.plan.session.steps as usize - done)
        };
        self.progress
            .add_to_do(jobs.iter().map(steps).sum::<usize>() as u64);
        let jobs = Mutex::new(jobs);
        let next = || jobs.lock().ok()?.pop_front();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..workers)
                .map(|_| {
                    scope.spawn(|| {
                        while let Some(job) = next() {
                            pollster::block_on(self.train(job))?;
                            if self.stop.is_asked() {
                                break;
                            }
                        }
                        anyhow::Ok(())
                    })
                })
                .collect();
            threads.into_iter().try_for_each(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| anyhow::bail!("a worker panicked"))
            })
        })
    }

    async fn train(&self, job: Job) -> Result<()> {
        let Job {
            mut bank,
            checkpoint,
        } = job;
        let model = &self.base.model;
        let mut session = match checkpoint {
            Some(bytes) => Session::resume(model, &bytes)?,
            None => Session::new(model, self.plan.session(&bank.points)?)?,
        };
        let seed = session.settings().seed;
        let (_, dataset) = self
            .datasets
            .iter()
            .find(|(of, _)| *of == seed)
            .with_context(|| format!("seed {seed} is not in the plan"))?;
        let mut batches = dataset.train_batches(self.plan.session.batch_size as usize)?;
        let course = Course {
            evaluate_every: None,
            checkpoint_every: STEPS_BETWEEN_CHECKPOINTS,
        };
        let trained = course.train(
            &mut session,
            model,
            |step| batches.batch(step),
            || self.stop.is_asked(),
            async |session, milestone| match milestone {
                Milestone::Step(report) => {
                    self.log(&mut bank, session, report).await?;
                    self.progress.add_done(bank.points.len() as u64);
                    Ok(())
                }
                Milestone::Checkpoint => self.folder.keep(&bank, &session.checkpoint().await?),
                // Once, after the last step.
                Milestone::Evaluation => Ok(()),
            },
        );
        if trained.await? == End::Stopped {
            return Ok(());
        }
        let mut losses = Vec::new();
        for dataset in self.validation {
            losses.push(self.evaluate(&session, dataset).await?);
        }
        let points = bank.points.clone();
        let finished = self.finished(bank, &losses, session.diverged_at());
        self.folder.add(&finished)?;
        self.folder.forget(&points);
        for Finished { result, .. } in finished {
            let loss = match result.validation_loss {
                Some(loss) => format!("{loss:.4}"),
                None => "diverged".into(),
            };
            let SweepPoint { method, lr, seed } = result.point;
            self.progress
                .say(&format!("{method}, lr {lr:e}, seed {seed}: {loss}"));
        }
        Ok(())
    }

    /// Takes down a step.
    async fn log(
        &self,
        bank: &mut Unfinished,
        session: &Session,
        report: &StepReport,
    ) -> Result<()> {
        for (losses, run) in bank.losses.iter_mut().zip(&report.runs) {
            losses.extend(run.loss);
        }
        let settings = session.settings();
        if !self.plan.factors || !is_logged(report.step, settings.steps) {
            return Ok(());
        }
        let damping = Plan::damping(settings);
        let found = factors(session.adapters(), report.step, &damping).await?;
        for ((list, mut found), run) in bank.factors.iter_mut().zip(found).zip(&report.runs) {
            if run.diverged_at.is_none() {
                found.grad_norm = run.grad_norm.map(rounded);
                list.push(found);
            }
        }
        Ok(())
    }

    /// The runs of a bank whose steps are done. `losses` holds each run's, one list for each of `validation`.
    fn finished(
        &self,
        bank: Unfinished,
        losses: &[Vec<Option<f64>>],
        diverged_at: &[Option<u32>],
    ) -> Vec<Finished> {
        let runs = bank.points.len();
        let share = self
            .processor
            .since_last()
            .map(|s| rounded(s / runs as f64));
        let loss = |half: usize, run: usize| losses.get(half).and_then(|losses| losses[run]);
        bank.points
            .into_iter()
            .zip(bank.losses)
            .zip(bank.factors)
            .enumerate()
            .map(|(run, ((point, curve), factors))| Finished {
                result: SweepResult {
                    point,
                    validation_loss: loss(0, run),
                    diverged_at: diverged_at[run],
                    losses: curve.into_iter().map(rounded).collect(),
                },
                report_loss: loss(1, run),
                processor_seconds: share,
                factors,
            })
            .collect()
    }

    async fn evaluate(&self, session: &Session, dataset: &Dataset) -> Result<Vec<Option<f64>>> {
        let rows = self.plan.session.batch_size as usize;
        let batches = dataset.validation_batches(self.plan.validation_examples, rows)?;
        let report = evaluate(session, &self.base.model, batches, async |_| true).await?;
        Ok(report.map_or_else(Vec::new, |report| report.losses))
    }
}
