//! What came out of a sweep: a table, a result file and a picture.

use std::path::Path;

use anyhow::Result;
use riemann_lora::train::sweep::{MethodSummary, SweepResult, summarise};

use super::plan::Plan;
use crate::program::{
    chart::{Axis, LineChart, SIZE, Series, draw},
    result_file::ResultFile,
};

/// The summary on the terminal, or as JSON, and in a result file with its picture. `pending` runs
/// have no result yet.
pub fn report(
    plan: &Plan,
    base_loss: f64,
    results: &[SweepResult],
    pending: usize,
    output: Option<&Path>,
    json: bool,
) -> Result<()> {
    let names = plan.names();
    let summaries = summarise(&names, base_loss, results);
    let file = ResultFile::new(&summaries)?
        .with("base_loss", &base_loss)?
        .with("plan", plan)?
        .with("pending_runs", &pending)?
        .with("runs", &results)?;
    if json {
        print!("{}", file.to_json()?);
    } else {
        println!("validation loss of the base: {base_loss:.4}");
        if pending > 0 {
            println!("{pending} runs of the plan are not finished and not counted");
        }
        println!(
            "{:24} {:>8} {:>9} {:>10} {:>14} {:>9} {:>8}",
            "method", "best", "at lr", "width, own", "width, overall", "diverged", "worse"
        );
        for name in &names {
            let row = &summaries[name];
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
    if let Some(output) = output {
        file.write(output, Some(&picture(&names, &summaries, base_loss)?))?;
    }
    Ok(())
}

/// Validation loss over learning rate, one line a method. What is far above the base is cut off: a
/// run that ends there is of no use, and its height would flatten all others.
fn picture(
    names: &[String],
    summaries: &std::collections::BTreeMap<String, MethodSummary>,
    base_loss: f64,
) -> Result<String> {
    let series = names.iter().map(|name| {
        let points = summaries[name].curve.iter().map(|point| {
            let loss = point.loss.filter(|loss| *loss < base_loss * 1.3);
            (point.lr, loss.unwrap_or(f64::NAN))
        });
        Series::dotted(name.clone(), points.collect())
    });
    draw(
        &LineChart {
            title: "Validation loss over learning rate".into(),
            x: Axis::log("learning rate"),
            y: Axis::linear("validation loss (nats a token)"),
            series: series.collect(),
        },
        SIZE,
    )
}
