//! The losses of a training from the terminal.

use std::path::Path;

use anyhow::Result;
use riemann_lora::train::{SessionSettings, StepReport};
use serde::{Deserialize, Serialize};

use super::{
    chart::{Axis, LineChart, SIZE, Series, draw},
    result_file::ResultFile,
};

/// One run's losses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct RunHistory {
    name: String,
    /// Step and training loss.
    losses: Vec<(u32, Option<f64>)>,
    diverged_at: Option<u32>,
}

/// Losses of all runs over the steps of a training, those before it was stopped among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    runs: Vec<RunHistory>,
}

impl History {
    /// No step yet.
    pub fn new(settings: &SessionSettings) -> Self {
        let runs = settings.runs.iter().map(|run| RunHistory {
            name: run.name.clone(),
            losses: Vec::new(),
            diverged_at: None,
        });
        Self {
            runs: runs.collect(),
        }
    }

    /// Takes in a step.
    pub fn add(&mut self, report: &StepReport) {
        for (history, run) in self.runs.iter_mut().zip(&report.runs) {
            history.losses.push((report.step, run.loss));
            history.diverged_at = run.diverged_at;
        }
    }

    /// The last loss of each run.
    pub fn last(&self) -> Vec<Option<f64>> {
        let last = |run: &RunHistory| run.losses.last().and_then(|(_, loss)| *loss);
        self.runs.iter().map(last).collect()
    }

    /// One line with a loss of every run.
    pub fn print(&self, step: u32, kind: &str, losses: &[Option<f64>]) {
        let words = self.runs.iter().zip(losses).map(|(run, loss)| match loss {
            Some(loss) => format!("{} {loss:.4}", run.name),
            None => match run.diverged_at {
                Some(step) => format!("{} diverged at step {step}", run.name),
                None => format!("{} none", run.name),
            },
        });
        let words: Vec<String> = words.collect();
        println!("step {step}, {kind} loss: {}", words.join(", "));
    }

    /// Writes first and last losses, all losses, and a picture of them.
    pub fn write(&self, path: &Path) -> Result<()> {
        let ends: serde_json::Map<_, _> = self
            .runs
            .iter()
            .map(|run| {
                let mut finite = run.losses.iter().filter_map(|(_, loss)| *loss);
                let first = finite.next();
                let last = finite.next_back().or(first);
                let ends = serde_json::json!({
                    "first_loss": first, "last_loss": last, "diverged_at": run.diverged_at
                });
                (run.name.clone(), ends)
            })
            .collect();
        let series = self.runs.iter().map(|run| {
            let points = run.losses.iter();
            let points = points.map(|(step, loss)| (f64::from(*step), loss.unwrap_or(f64::NAN)));
            Series::line(run.name.clone(), points.collect())
        });
        let picture = draw(
            &LineChart {
                title: "Training loss".into(),
                x: Axis::linear("step"),
                y: Axis::linear("loss (nats a token)"),
                series: series.collect(),
            },
            SIZE,
        )?;
        ResultFile::new(&ends)?
            .with("runs", &self.runs)?
            .write(path, Some(&picture))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_the_same_to_the_bit_when_they_are_read_again() {
        let losses = (0..2000_u32).map(|step| {
            let loss = (f64::from(step) * 0.618_033_988_749_894_9).sin() * 5.0;
            (step, Some(loss))
        });
        let history = History {
            runs: vec![RunHistory {
                name: "one".into(),
                losses: losses.chain([(2000, None)]).collect(),
                diverged_at: None,
            }],
        };
        let text = serde_json::to_string(&history).unwrap();
        let read: History = serde_json::from_str(&text).unwrap();
        assert_eq!(read, history);
    }
}
