//! The text-to-image model from a terminal.

mod concept;
mod drawing;
mod folder;
mod grid;
mod pretrain;
mod retrieval;
mod sheet;
mod sweep;

use anyhow::Result;
use clap::{Args, Subcommand};

/// Draw icons from words: pretrain a model that does, and let it draw.
#[derive(Debug, Args)]
pub struct Images {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Pretrain a model from pictures with captions.
    Pretrain(pretrain::Pretrain),
    /// Draw captions side by side into a PNG file.
    Grid(grid::Grid),
    /// Measure how often a drawing is what its caption says.
    Measure(retrieval::Measure),
    /// Teach a subject and a style by every method at every learning rate.
    Sweep(sweep::Sweep),
}

impl Images {
    /// Runs the command.
    pub async fn run(self) -> Result<()> {
        match self.command {
            Command::Pretrain(command) => command.run().await,
            Command::Grid(command) => command.run().await,
            Command::Measure(command) => command.run().await,
            Command::Sweep(command) => command.run().await,
        }
    }
}
