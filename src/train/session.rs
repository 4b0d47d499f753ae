//! The runs that one worker trains: their adapters, their optimizers and the step.

use std::ops::Range;

use burn::tensor::{Device, Tensor};
use web_time::Instant;

use super::{
    RunReport, SessionError, SessionSettings, StepReport, StepTimes,
    gradients::{Pass, PassSettings, StepGradients},
    memory::held_bytes,
    shards::BegunStep,
    trainable::Trainable,
};
use crate::engine::EngineError;
use crate::kernel::ProductPrecision;
use crate::model::{Adapters, Dropout};
use crate::optim::{
    BankCoefficients, Coefficients, Diagnostics, Optimizer, OptimizerSettings, RunDiagnostics,
};

/// On a device that computes in its own time, the split of a step's time is measured at every so
/// many steps, because it costs a wait at the end of each part.
const STEPS_BETWEEN_SPLITS: u32 = 16;

/// K runs that start from the same adapters and see the same batches.
#[derive(Debug)]
pub struct Session {
    pub(super) settings: SessionSettings,
    pub(super) adapters: Adapters,
    pub(super) optimizer: Optimizer,
    /// Steps done.
    pub(super) step: u32,
    /// The step at which each run's loss or gradient stopped being finite.
    pub(super) diverged_at: Vec<Option<u32>>,
    /// Blocks at the front whose adapters may have learning rates of their own.
    first_blocks: usize,
    split: StepTimes,
    /// The step that was begun here while the other workers' shards of it are on their way.
    pub(super) begun: Option<BegunStep>,
}

/// Summed losses of one batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchLosses {
    /// Sum of the loss's terms, of each run.
    pub sums: Vec<f64>,
    /// Terms of one run.
    pub count: usize,
}

impl BatchLosses {
    /// Those of `runs` runs on nothing.
    pub fn none(runs: usize) -> Self {
        Self {
            sums: vec![0.0; runs],
            count: 0,
        }
    }

    /// Takes in those on other rows; every term weighs the same, whatever rows it is of.
    pub fn add(&mut self, others: &Self) {
        for (sum, other) in self.sums.iter_mut().zip(&others.sums) {
            *sum += other;
        }
        self.count += others.count;
    }

    /// Sums of what was computed, [K, n], of K `runs`; `None` is nothing that counts.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn read(losses: Option<Tensor<2>>, runs: usize) -> Result<Self, SessionError> {
        let Some(losses) = losses else {
            return Ok(Self::none(runs));
        };
        let [_, count] = losses.dims();
        let sums = losses.sum_dim(1).into_data_async().await;
        Ok(Self {
            sums: sums
                .map_err(EngineError::from)?
                .iter::<f32>()
                .map(f64::from)
                .collect(),
            count,
        })
    }

    /// Mean loss of each run.
    pub fn means(&self) -> Vec<f64> {
        let means = self.sums.iter().map(|sum| sum / self.count as f64);
        means.collect()
    }
}

impl Session {
    /// Fresh adapters and optimizers.
    ///
    /// # Errors
    /// The first setting out of range.
    pub fn new<M: Trainable>(model: &M, settings: SessionSettings) -> Result<Self, SessionError> {
        model.validate(&settings)?;
        let adapters = model.fresh_adapters(&settings);
        Ok(Self::with_adapters(model, settings, adapters))
    }

    /// A session that starts from given adapters, with settings that have been checked.
    pub fn with_adapters<M: Trainable>(
        model: &M,
        settings: SessionSettings,
        mut adapters: Adapters,
    ) -> Self {
        Self {
            optimizer: Optimizer::new(&mut adapters),
            diverged_at: vec![None; settings.runs.len()],
            settings,
            adapters,
            step: 0,
            first_blocks: model.first_blocks(),
            split: StepTimes::default(),
            begun: None,
        }
    }

    /// What was asked for.
    pub fn settings(&self) -> &SessionSettings {
        &self.settings
    }

    /// The adapters as they are now.
    pub fn adapters(&self) -> &Adapters {
        &self.adapters
    }

    /// Bytes that the optimizers keep between steps.
    pub fn optimizer_bytes(&self) -> usize {
        self.optimizer.state_bytes()
    }

    /// Steps done.
    pub fn steps_done(&self) -> u32 {
        self.step
    }

    /// The step at which each run's loss or gradient stopped being finite.
    pub fn diverged_at(&self) -> &[Option<u32>] {
        &self.diverged_at
    }

    /// Whether there is nothing left to train: all steps are done, or all runs have diverged.
    pub fn is_finished(&self) -> bool {
        self.step >= self.settings.steps || self.diverged_at.iter().all(Option::is_some)
    }

    /// One step of all runs on `batch`.
    ///
    /// A run whose loss or gradient is not finite is marked, its factors are set to 0, and it takes
    /// no further part; the others' numbers do not change by it.
    ///
    /// # Errors
    /// A batch without counted labels or longer than the base's context, or a device that failed.
    pub async fn step<M: Trainable>(
        &mut self,
        model: &M,
        batch: &M::Batch,
    ) -> Result<StepReport, SessionError> {
        model.check(batch)?;
        let mut clock = self.clock();
        let gradients = self.gradients(model, batch, 0..M::rows(batch), &mut clock);
        let gradients = gradients.await?.ok_or(SessionError::NothingCounts)?;
        let size = M::size(batch) as u32;
        self.finish(gradients, size, clock, model.device()).await
    }

    /// The share of some rows in the step's losses and gradients, computed in parts of `micro_batch_size` rows; `None`
    /// where none of their labels counts.
    pub(super) async fn gradients<M: Trainable>(
        &self,
        model: &M,
        batch: &M::Batch,
        rows: Range<usize>,
        clock: &mut Clock,
    ) -> Result<Option<StepGradients>, SessionError> {
        let whole = M::counted(batch);
        let mut sum: Option<StepGradients> = None;
        for examples in self.parts(rows) {
            let part = M::part(batch, examples.clone());
            let dropout = self.dropout::<M>(examples, &part);
            let settings = PassSettings {
                dropout: dropout.as_ref(),
                whole,
                precision: match self.settings.half_precision {
                    true => ProductPrecision::Half,
                    false => ProductPrecision::Single,
                },
                gradient_checkpointing: self.settings.gradient_checkpointing,
            };
            let Some(pass) = model.forward_pass(&self.adapters, &part, settings) else {
                continue;
            };
            let gradients = clock.backward(pass).await?;
            sum = Some(match sum {
                Some(sum) => sum.joined(gradients),
                None => gradients,
            });
        }
        Ok(sum)
    }

    /// Starts to time a step.
    pub(super) fn clock(&self) -> Clock {
        Clock::new(self.step.is_multiple_of(STEPS_BETWEEN_SPLITS))
    }

    /// The dropout of this step on some examples of its batch, which are `part`; `None` where there is none.
    fn dropout<M: Trainable>(&self, examples: Range<usize>, part: &M::Batch) -> Option<Dropout> {
        (self.settings.dropout > 0.0).then(|| Dropout {
            share: self.settings.dropout,
            seed: u64::from(self.settings.seed),
            step: self.step,
            examples,
            places: M::places(part),
        })
    }

    /// The step from its gradients on, whatever the model is. `tokens` is the size of the batch, as the
    /// report says it.
    pub(super) async fn finish(
        &mut self,
        gradients: StepGradients,
        tokens: u32,
        mut clock: Clock,
        device: &Device,
    ) -> Result<StepReport, SessionError> {
        let StepGradients {
            losses: means, // [K, 1]
            banks: gradients,
            whole,
        } = gradients;
        let optimizers: Vec<OptimizerSettings> =
            self.settings.runs.iter().map(|run| run.optimizer).collect();
        let coefficients = self.coefficients(&optimizers, device);
        let diagnoses = self.settings.detail();
        let prepared = self.optimizer.prepare(&gradients, &coefficients, diagnoses);
        drop(gradients);
        let norm = prepared.norm.clone();
        let precondition = clock.lap(&norm).await?;
        let first = self.first_blocks(device);
        let coefficients = BankCoefficients {
            most: &coefficients,
            first: first.as_ref().map(|(banks, own)| (*banks, own)),
        };
        let diagnostics = self
            .optimizer
            .update(&mut self.adapters, prepared, coefficients);
        let update = match self.adapters.banks().last() {
            Some(last) => clock.lap(&last.b).await?,
            None => 0.0,
        };

        let factors = self.optimizer.size_of_factors();
        let read =
            ReadBack::read(means, norm, factors, diagnostics, self.optimizer.layers()).await?;
        self.step += 1;
        if clock.splits {
            self.split = StepTimes {
                precondition,
                update,
                ..clock.passes.clone()
            };
        }
        let reports = self.report(&optimizers, read);
        Ok(StepReport {
            step: self.step,
            runs: reports,
            tokens,
            counted_tokens: whole as u32,
            seconds: StepTimes {
                total: clock.total(),
                ..self.split.clone()
            },
            memory_bytes: held_bytes(),
        })
    }

    /// Banks of the first blocks, and the hyper-parameters of this step for them; `None` where they are those of the
    /// others.
    fn first_blocks(&self, device: &Device) -> Option<(usize, Coefficients)> {
        let runs = &self.settings.runs;
        if runs.iter().all(|run| run.text_lr.is_none()) {
            return None;
        }
        let own: Vec<OptimizerSettings> = runs
            .iter()
            .map(|run| OptimizerSettings {
                lr: run.text_lr.unwrap_or(run.optimizer.lr),
                ..run.optimizer
            })
            .collect();
        let banks = self.adapters.blocks.iter().take(self.first_blocks);
        Some((banks.map(Vec::len).sum(), self.coefficients(&own, device)))
    }

    /// The hyper-parameters of this step.
    fn coefficients(&self, optimizers: &[OptimizerSettings], device: &Device) -> Coefficients {
        let stopped: Vec<bool> = self.diverged_at.iter().map(Option::is_some).collect();
        Coefficients::new(
            optimizers,
            &stopped,
            self.step,
            self.settings.steps,
            self.adapters.shape.scale(),
            device,
        )
    }

    /// Marks runs that have just diverged, and says how each run is.
    fn report(&mut self, optimizers: &[OptimizerSettings], read: ReadBack) -> Vec<RunReport> {
        let step = self.step;
        let mut diagnostics = read.diagnostics.into_iter();
        (0..optimizers.len())
            .map(|index| {
                let before = self.diverged_at[index];
                let (loss, norm) = (read.losses[index], read.norms[index]);
                let diagnostics = diagnostics.next();
                // The factors after the update, too: from a sound gradient a rate can lead out of all numbers, and they can
                // be exported before the next step finds it in the loss.
                let numbers = [loss, norm, read.factors[index]];
                if before.is_none() && !numbers.iter().all(|number| number.is_finite()) {
                    self.diverged_at[index] = Some(step);
                    self.optimizer.clear_run(&mut self.adapters, index);
                }
                let shown = |value: f32| {
                    (before.is_none() && value.is_finite()).then_some(f64::from(value))
                };
                let run = &optimizers[index];
                RunReport {
                    loss: shown(loss),
                    grad_norm: shown(norm),
                    lr: run.lr * run.schedule.factor(step - 1, self.settings.steps),
                    diverged_at: self.diverged_at[index],
                    diagnostics: diagnostics.filter(|_| self.diverged_at[index].is_none()),
                }
            })
            .collect()
    }

    /// Losses of all runs on one held-out batch, computed in parts of `micro_batch_size` rows as a step is, so that what a
    /// step has room for is enough; sums, so that batches of any size add up.
    ///
    /// # Errors
    /// A batch longer than the base's context, or a device that failed.
    pub async fn evaluate<M: Trainable>(
        &self,
        model: &M,
        batch: &M::Batch,
    ) -> Result<BatchLosses, SessionError> {
        model.check(batch)?;
        let runs = self.adapters.runs;
        let mut whole = BatchLosses::none(runs);
        for rows in self.parts(0..M::rows(batch)) {
            let part = M::part(batch, rows);
            whole.add(&BatchLosses::read(model.losses(&self.adapters, &part), runs).await?);
        }
        Ok(whole)
    }

    /// Rows cut into those that are computed at one time.
    fn parts(&self, rows: Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
        let at_once = match self.settings.micro_batch_size as usize {
            0 => rows.len().max(1),
            rows => rows,
        };
        let end = rows.end;
        rows.step_by(at_once)
            .map(move |start| start..(start + at_once).min(end))
    }
}

/// The step's one read-back.
struct ReadBack {
    /// Mean loss of each run.
    losses: Vec<f32>,
    /// Gradient norm of each run.
    norms: Vec<f32>,
    /// Size of each run's factors after the update.
    factors: Vec<f32>,
    /// Of each run, or none at all.
    diagnostics: Vec<RunDiagnostics>,
}

impl ReadBack {
    async fn read(
        losses: Tensor<2>,
        norms: Tensor<3>,
        factors: Tensor<3>,
        diagnostics: Option<Diagnostics>,
        layers: &[usize],
    ) -> Result<Self, SessionError> {
        // One tensor, because a read-back of several is several.
        let mut columns = vec![losses.unsqueeze_dim(1), norms, factors]; // [K, 1, 1]
        columns.extend(diagnostics.map(Diagnostics::table)); // [K, 1, 6 + ·]
        let table = Tensor::cat(columns, 2);
        let width = table.dims()[2];
        let data = table.into_data_async().await.map_err(EngineError::from)?;
        let values: Vec<f32> = data.iter::<f32>().collect();
        let rows = || values.chunks_exact(width);
        let diagnostics = rows().map(|row| &row[3..]).filter(|row| !row.is_empty());
        Ok(Self {
            losses: rows().map(|row| row[0]).collect(),
            norms: rows().map(|row| row[1]).collect(),
            factors: rows().map(|row| row[2]).collect(),
            diagnostics: diagnostics
                .map(|row| Diagnostics::read(row, layers))
                .collect(),
        })
    }
}

/// Splits a step's time into parts.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    lap: Instant,
    splits: bool,
    /// Forward and backward so far.
    passes: StepTimes,
}

impl Clock {
    fn new(due: bool) -> Self {
        let now = Instant::now();
        Self {
            start: now,
            lap: now,
            // The CPU engine has computed a tensor when it returns it: no wait, so no cost.
            splits: due || cfg!(not(feature = "webgpu")),
            passes: StepTimes::default(),
        }
    }

    /// The backward pass, timed with what came before it.
    pub(super) async fn backward(&mut self, pass: Pass<'_>) -> Result<StepGradients, SessionError> {
        self.passes.forward += self.lap(&pass.losses).await?;
        let gradients = pass.backward();
        if let Some(last) = gradients.banks.last() {
            self.passes.backward += self.lap(&last.a).await?;
        }
        Ok(gradients)
    }

    /// Seconds since the last lap, `last` being what this part computed last.
    async fn lap<const D: usize>(&mut self, last: &Tensor<D>) -> Result<f64, SessionError> {
        if self.splits && cfg!(feature = "webgpu") {
            let one = last.clone().reshape([-1]).narrow(0, 0, 1);
            one.into_data_async().await.map_err(EngineError::from)?;
        }
        let now = Instant::now();
        let seconds = (now - self.lap).as_secs_f64();
        self.lap = now;
        Ok(seconds)
    }

    fn total(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }
}
