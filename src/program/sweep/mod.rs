//! Learning-rate robustness from the terminal: methods over learning rates, in banks over cores.

mod edge;
mod factors;
mod finished;
mod folder;
mod grid;
mod plan;
mod processor;
mod report;
mod taken_up;
mod train;
mod warm_up;

use std::collections::VecDeque;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use riemann_lora::{
    data::{DataSettings, Dataset, DatasetBuilder},
    train::sweep::{SweepPoint, SweepResult, pending},
};

pub use self::{finished::Finished, plan::Plan};
use self::{
    folder::Folder,
    processor::ProcessorTime,
    train::{Job, Workshop},
};
use super::{data_file, progress::Progress, settings, stop::Stop};

/// Train every method at every learning rate and compare them, each at its best.
#[derive(Debug, Args)]
pub struct Sweep {
    /// A GGUF file, or a folder with config.json, model.safetensors and tokenizer.json.
    model: PathBuf,
    /// Text, pairs, JSON lines or a table to train on.
    data: PathBuf,
    /// The same to measure the final loss on.
    validation: PathBuf,
    /// JSON with the methods, their presets and learning rates, and what all runs share.
    plan: PathBuf,
    /// Where finished runs and checkpoints are kept; a sweep that was stopped goes on from there.
    #[arg(long)]
    folder: PathBuf,
    /// Result file; a picture of the same name is put beside it. Runs that it holds already are taken up where the
    /// folder does not have them, so that a sweep goes on on another machine.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Runs that share one forward pass.
    #[arg(long, default_value_t = 7)]
    bank: usize,
    /// Banks that are trained at once.
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    workers: usize,
    /// Train nothing: report the runs that are finished.
    #[arg(long)]
    report_only: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl Sweep {
    /// Trains what is missing in the folder, then reports.
    pub async fn run(self) -> Result<()> {
        let plan: Plan = settings::read(&self.plan)?;
        plan.validate()
            .with_context(|| self.plan.display().to_string())?;
        let folder = Folder::open(
            &self.folder,
            &plan,
            [&self.model, &self.data, &self.validation],
        )?;
        for remark in plan.remarks() {
            eprintln!("{remark}");
        }
        let stop = Stop::on_interrupt()?;

        let base = super::load(&self.model).await?;
        let dataset = self.dataset(&plan.data, &base)?;
        let reordered = |seed: u32| (seed, dataset.reordered(u64::from(seed)));
        let datasets: Vec<(u32, Dataset)> = plan.all_seeds().into_iter().map(reordered).collect();
        let validation = match plan.validation_halves {
            true => dataset.validation_halves()?.to_vec(),
            false => vec![dataset.clone()],
        };
        let progress = Progress::new("steps of runs")?;
        let workshop = Workshop {
            base: &base,
            plan: &plan,
            datasets: &datasets,
            validation: &validation,
            folder: &folder,
            stop: &stop,
            progress: &progress,
            processor: &ProcessorTime::default(),
        };
        workshop.check()?;
        let base_losses = workshop.base_losses().await?;
        if let Some(output) = &self.output {
            let known = folder.results()?;
            let taken = taken_up::from_file(output, &plan, &base_losses, &known)?;
            folder.add(&taken)?;
        }
        if !self.report_only {
            self.train_pending(&workshop, base_losses[0])?;
        }
        progress.finish();
        let results = folder.results()?;
        let done = results_of(&results);
        let pending = pending(plan.wanted(&done, base_losses[0]), &done).len();
        if stop.is_asked() {
            // What is finished is not only in the folder, which may not outlive the machine.
            if let Some(output) = &self.output {
                report::write(&plan, &base_losses, &results, pending, output)?;
            }
            eprintln!(
                "Stopped; everything is kept in {}. The same command goes on from there.",
                self.folder.display()
            );
            std::process::exit(Stop::EXIT_CODE);
        }
        report::report(
            &plan,
            &base_losses,
            &results,
            pending,
            self.output.as_deref(),
            self.json,
        )
    }

    /// Trains until nothing that the plan wants is open; results may ask for more points.
    fn train_pending(&self, workshop: &Workshop, base_loss: f64) -> Result<()> {
        loop {
            let results = results_of(&workshop.folder.results()?);
            let open = pending(workshop.plan.wanted(&results, base_loss), &results);
            let jobs = self.jobs(workshop.plan, workshop.folder, open)?;
            if jobs.is_empty() || workshop.stop.is_asked() {
                return Ok(());
            }
            workshop.run(jobs, self.workers.max(1))?;
        }
    }

    fn dataset(&self, settings: &DataSettings, base: &super::LoadedModel) -> Result<Dataset> {
        let (name, bytes) = data_file::read(&self.data)?;
        let (validation_name, validation) = data_file::read(&self.validation)?;
        Ok(DatasetBuilder::new(&name, bytes, settings)?
            .with_validation(&validation_name, validation)?
            .finish(&base.tokenizer)?)
    }

    /// Banks that were stopped, then the other points that are `open`, in banks of one seed.
    fn jobs(
        &self,
        plan: &Plan,
        folder: &Folder,
        mut open: Vec<SweepPoint>,
    ) -> Result<VecDeque<Job>> {
        let mut jobs = VecDeque::new();
        for (bank, checkpoint) in folder.unfinished()? {
            // A bank whose results were written in the moment of a crash is not trained again.
            if bank.points.iter().all(|point| open.contains(point)) {
                open.retain(|point| !bank.points.contains(point));
                jobs.push_back(Job::resumed(bank, checkpoint));
            } else {
                folder.forget(&bank.points);
            }
        }
        for points in plan.in_order(&open) {
            let share = points.len().div_ceil(self.workers.max(1));
            for bank in points.chunks(share.clamp(1, self.bank.max(1))) {
                jobs.push_back(Job::new(bank.to_vec()));
            }
        }
        Ok(jobs)
    }
}

fn results_of(finished: &[Finished]) -> Vec<SweepResult> {
    finished.iter().map(|run| run.result.clone()).collect()
}
