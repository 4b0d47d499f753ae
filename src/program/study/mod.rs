//! The study of the paper's claims: what the finished pieces say, by rules that were decided before they ran.

mod above_base;
mod bootstrap;
mod charts;
mod contrast;
mod curve;
mod interval;
mod learning_curves;
mod method;
mod piece;
mod regret;
mod report;
mod speed;
mod student_t;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

/// Evaluate the study of the paper's claims.
#[derive(Debug, Args)]
pub struct Study {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read the finished pieces, decide about the claims, and draw the charts.
    Report(Report),
}

/// Read the finished pieces, decide about the claims, and draw the charts.
#[derive(Debug, Args)]
struct Report {
    /// Where the pieces are, study-p1.json and so on; what is found goes there, too.
    #[arg(default_value = "benchmarks/results")]
    folder: PathBuf,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl Study {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let Command::Report(Report { folder, json }) = self.command;
        report::report(&folder, json)
    }
}
