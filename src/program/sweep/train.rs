//! Trains the banks of a sweep, several at once.

use std::collections::VecDeque;
use std::sync::Mutex;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use riemann_lora::{
    data::Dataset,
    messages::RunReport,
    train::{
        Evaluation, Session,
        settings::validate,
        sweep::{SweepPoint, SweepResult},
    },
};

use super::{
    folder::{Folder, Unfinished},
    plan::Plan,
};
use crate::program::{Base, stop::Stop};

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
        let losses = vec![Vec::new(); points.len()];
        Self {
            bank: Unfinished { points, losses },
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
    pub base: &'a Base,
    pub plan: &'a Plan,
    /// One for each seed.
    pub datasets: &'a [(u32, Dataset)],
    pub folder: &'a Folder,
    pub stop: &'a Stop,
    /// Counts steps of runs.
    pub bar: ProgressBar,
}

impl Workshop<'_> {
    /// Checks all settings before hours are spent on some of them.
    ///
    /// # Errors
    /// The first setting that is out of range for this base.
    pub fn check(&self) -> Result<()> {
        for point in self.plan.wanted(&[]) {
            let settings = self.plan.session(std::slice::from_ref(&point))?;
            validate(&settings, &self.base.model.config)
                .with_context(|| format!("{} at {:e}", point.method, point.lr))?;
        }
        Ok(())
    }

    /// Validation loss before any step, which is that of the base, B being 0.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn base_loss(&self) -> Result<f64> {
        let points = self.plan.wanted(&[]);
        let settings = self.plan.session(&points[..1])?;
        let session = Session::new(&self.base.model, settings)?;
        let losses = self.evaluate(&session, &self.datasets[0].1).await?;
        losses[0].context("the base has no finite loss on the validation data")
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
        self.bar
            .inc_length(jobs.iter().map(steps).sum::<usize>() as u64);
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
        while !session.is_finished() {
            let batch = batches.batch(u64::from(session.steps_done()));
            let report = session.step(model, &batch).await?;
            for (losses, run) in bank.losses.iter_mut().zip(report.runs) {
                let RunReport { loss, .. } = run;
                losses.extend(loss);
            }
            self.bar.inc(bank.points.len() as u64);
            let stops = self.stop.is_asked();
            if stops || report.step.is_multiple_of(STEPS_BETWEEN_CHECKPOINTS) {
                self.folder.keep(&bank, &session.checkpoint().await?)?;
            }
            if stops {
                return Ok(());
            }
        }
        let losses = self.evaluate(&session, dataset).await?;
        let results: Vec<SweepResult> = bank
            .points
            .iter()
            .zip(losses)
            .zip(session.diverged_at())
            .zip(&bank.losses)
            .map(|(((point, loss), diverged_at), losses)| SweepResult {
                point: point.clone(),
                validation_loss: loss,
                diverged_at: *diverged_at,
                losses: losses.clone(),
            })
            .collect();
        self.folder.add(&results)?;
        self.folder.forget(&bank.points);
        for result in results {
            self.bar.suspend(|| {
                let loss = match result.validation_loss {
                    Some(loss) => format!("{loss:.4}"),
                    None => "diverged".into(),
                };
                let SweepPoint { method, lr, seed } = result.point;
                eprintln!("{method}, lr {lr:e}, seed {seed}: {loss}");
            });
        }
        Ok(())
    }

    async fn evaluate(&self, session: &Session, dataset: &Dataset) -> Result<Vec<Option<f64>>> {
        let mut evaluation = Evaluation::new(session.settings().runs.len());
        let rows = self.plan.session.batch_size as usize;
        for batch in dataset.validation_batches(self.plan.validation_examples, rows)? {
            evaluation.add(&session.evaluate(&self.base.model, &batch).await?);
        }
        Ok(evaluation.means(session.diverged_at()))
    }
}
