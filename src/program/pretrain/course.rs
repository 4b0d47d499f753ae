//! The loop of a pretraining, whatever is pretrained: steps, losses, checkpoints, a stop.

use std::path::Path;

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use riemann_lora::pretrain::PretrainReport;
use serde::Serialize;

use super::{
    folder::{Folder, Point},
    losses::{picture, thinned},
};
use crate::program::{result_file::ResultFile, stop::Stop};

/// Steps between two checkpoints, which are also those between two validation losses.
const STEPS_BETWEEN_CHECKPOINTS: u32 = 250;

/// A model that is being pretrained, with its data.
pub trait Course {
    /// Steps done.
    fn steps_done(&self) -> u32;

    /// Steps in all.
    fn steps(&self) -> u32;

    /// The next step.
    async fn step(&mut self) -> Result<PretrainReport>;

    /// Loss on what is held out; `None` where nothing is.
    async fn validation_loss(&self) -> Result<Option<f64>>;

    /// What the training goes on from.
    async fn checkpoint(&self) -> Result<Vec<u8>>;

    /// Writes the model as it is now.
    async fn write_model(&self) -> Result<()>;
}

/// Trains to the last step and writes the model; all losses since the first. Ctrl-C keeps a checkpoint and ends the program.
///
/// # Errors
/// A loss that is no longer finite, a device that failed, or a folder that cannot be written.
pub async fn train(course: &mut impl Course, folder: &Folder) -> Result<Vec<Point>> {
    let mut points = folder.points(course.steps_done())?;
    let stop = Stop::on_interrupt()?;
    let bar = ProgressBar::new(u64::from(course.steps())).with_style(ProgressStyle::with_template(
        "{pos}/{len} steps {msg} {wide_bar} {eta} left",
    )?);
    bar.set_position(u64::from(course.steps_done()));
    bar.reset_eta();
    while course.steps_done() < course.steps() && !stop.is_asked() {
        let report = course.step().await?;
        ensure!(
            report.loss.is_finite(),
            "the loss is no longer finite at step {}; lower lr",
            report.step
        );
        bar.set_position(u64::from(report.step));
        bar.set_message(format!("loss {:.3}", report.loss));
        let is_last = course.steps_done() >= course.steps();
        let due = is_last || report.step.is_multiple_of(STEPS_BETWEEN_CHECKPOINTS);
        let point = Point {
            step: report.step,
            loss: report.loss,
            validation_loss: match due {
                true => course.validation_loss().await?,
                false => None,
            },
        };
        folder.add(&point)?;
        points.push(point);
        if due {
            // In this order: a checkpoint of the last step is never there without the model.
            course.write_model().await?;
            folder.keep(&course.checkpoint().await?)?;
        }
    }
    bar.finish_and_clear();
    if stop.is_asked() {
        folder.keep(&course.checkpoint().await?)?;
        eprintln!("Stopped; the same command goes on from there.");
        std::process::exit(Stop::EXIT_CODE);
    }
    Ok(points)
}

/// What of the losses stands among the figures of a result.
pub fn ends(points: &[Point]) -> (Option<f32>, Option<f64>) {
    (
        points.first().map(|point| point.loss),
        points.iter().rev().find_map(|point| point.validation_loss),
    )
}

/// Prints the figures and, where asked for, writes them with settings, losses and a picture of these. `title` and `loss` are
/// the picture's.
///
/// # Errors
/// A file that cannot be written.
pub fn report(
    (figures, settings): (&impl Serialize, &impl Serialize),
    points: &[Point],
    (title, loss): (&str, &str),
    result: Option<&Path>,
) -> Result<()> {
    println!("{}", serde_json::to_string(figures)?);
    let Some(path) = result else {
        return Ok(());
    };
    ResultFile::new(figures)?
        .with("settings", settings)?
        .with("losses", &thinned(points))?
        .write(path, Some(&picture(title, loss, points)?))
}
