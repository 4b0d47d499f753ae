//! What came out of a sweep: a table, a result file and a picture.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use riemann_lora::train::sweep::{MethodSummary, SweepResult, summarise};

use super::{finished::Finished, plan::Plan};
use crate::program::{
    chart::{Axis, LineChart, SIZE, Series, draw},
    result_file::ResultFile,
};

/// The summary on the terminal, or as JSON, and in a result file with its picture. `pending` runs
/// have no result yet. `base_losses` are of all validation examples, or of the half that chooses and the half that
/// reports.
pub fn report(
    plan: &Plan,
    base_losses: &[f64],
    finished: &[Finished],
    pending: usize,
    output: Option<&Path>,
    json: bool,
) -> Result<()> {
    let report = Report::new(plan, base_losses, finished, pending);
    if json {
        print!("{}", report.file()?.to_json()?);
    } else {
        report.print();
    }
    output.map_or(Ok(()), |output| report.write(output))
}

/// The result file and its picture alone.
pub fn write(
    plan: &Plan,
    base_losses: &[f64],
    finished: &[Finished],
    pending: usize,
    output: &Path,
) -> Result<()> {
    Report::new(plan, base_losses, finished, pending).write(output)
}

struct Report<'a> {
    plan: &'a Plan,
    base_losses: &'a [f64],
    finished: &'a [Finished],
    pending: usize,
    names: Vec<String>,
    summaries: BTreeMap<String, MethodSummary>,
}

impl<'a> Report<'a> {
    fn new(
        plan: &'a Plan,
        base_losses: &'a [f64],
        finished: &'a [Finished],
        pending: usize,
    ) -> Self {
        let names = plan.names();
        let results: Vec<SweepResult> = finished.iter().map(|run| run.result.clone()).collect();
        let summaries = summarise(&names, base_losses[0], &results);
        Self {
            plan,
            base_losses,
            finished,
            pending,
            names,
            summaries,
        }
    }

    fn file(&self) -> Result<ResultFile> {
        let mut file = ResultFile::new(&self.summaries)?.with("base_loss", &self.base_losses[0])?;
        if let Some(loss) = self.base_losses.get(1) {
            file = file.with("base_report_loss", loss)?;
        }
        file.with("plan", self.plan)?
            .with("pending_runs", &self.pending)?
            .with_lines("runs", self.finished)
    }

    fn print(&self) {
        println!("validation loss of the base: {:.4}", self.base_losses[0]);
        if self.pending > 0 {
            println!(
                "{} runs of the plan are not finished and not counted",
                self.pending
            );
        }
        println!(
            "{:24} {:>8} {:>9} {:>10} {:>14} {:>9} {:>8}",
            "method", "best", "at lr", "width, own", "width, overall", "diverged", "worse"
        );
        for name in &self.names {
            let row = &self.summaries[name];
            println!(
                "{name:24} {:>8} {:>9} {:>10.2} {:>14.2} {:>9} {:>8}",
                row.best_loss.map_or("none".into(), |v| format!("{v:.4}")),
                row.best_lr.map_or("none".into(), |v| format!("{v:.2e}")),
                row.width_own_decades,
                row.width_overall_decades,
                row.diverged,
                row.worse_than_base
            );
        }
    }

    fn write(&self, output: &Path) -> Result<()> {
        let chart = chart(&self.names, &self.summaries, self.base_losses[0]);
        // Before the first run is finished, or where all of them failed, there is nothing to draw.
        let picture = chart.has_points().then(|| draw(&chart, SIZE)).transpose()?;
        self.file()?.write(output, picture.as_deref())
    }
}

/// Validation loss over learning rate, one line a method. What is far above the base is cut off: a
/// run that ends there is of no use, and its height would flatten all others.
fn chart(
    names: &[String],
    summaries: &BTreeMap<String, MethodSummary>,
    base_loss: f64,
) -> LineChart {
    let series = names.iter().map(|name| {
        let points = summaries[name].curve.iter().map(|point| {
            let loss = point.loss.filter(|loss| *loss < base_loss * 1.3);
            (point.lr, loss.unwrap_or(f64::NAN))
        });
        Series::dotted(name.clone(), points.collect())
    });
    LineChart {
        title: "Validation loss over learning rate".into(),
        x: Axis::log("learning rate"),
        y: Axis::linear("validation loss (nats a token)"),
        series: series.collect(),
    }
}
