//! Training losses over steps, as the paper's first figure draws them (a running mean), and as they are.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{
    charts::Picture,
    piece::{Piece, Runs},
    speed::{running_mean, window},
};
use crate::program::chart::{Axis, LineChart, SIZE, Series, draw};

/// Points of a curve: more than a picture has pixels only make its file large.
const MOST_POINTS: usize = 400;

/// Two pictures, of running means and of single steps, for each group of methods: those whose names end alike after a
/// comma, as in `SGD, rank 4`.
pub fn pictures(piece: &Piece) -> Result<Vec<Picture>> {
    let mut groups: BTreeMap<&str, Vec<&Runs>> = BTreeMap::new();
    for runs in &piece.methods {
        let group = runs.method.rsplit_once(", ").map_or("", |(_, group)| group);
        groups.entry(group).or_default().push(runs);
    }
    let mut pictures = Vec::new();
    for (group, methods) in groups {
        for (name, words, averaged) in [
            ("mean", "running mean of the training loss", true),
            ("raw", "training loss", false),
        ] {
            let series = methods.iter().flat_map(|runs| {
                let curves = runs.lrs.iter().zip(&runs.curves);
                curves.map(move |(lr, curves)| {
                    let method = runs.method.split(", ").next().unwrap_or_default();
                    Series::line(format!("{method}, lr {lr:.0e}"), points(curves, averaged))
                })
            });
            let picture = draw(
                &LineChart {
                    title: format!("{group}: {words}, mean over {} seeds", piece.seeds.len()),
                    x: Axis::linear("step"),
                    y: Axis::linear("training loss (nats a token)"),
                    series: series.collect(),
                },
                SIZE,
            )?;
            pictures.push((format!("{}-{name}", group.replace(' ', "-")), picture));
        }
    }
    Ok(pictures)
}

/// The mean over seeds at each step at which all are still there.
fn points(curves: &[Vec<f64>], averaged: bool) -> Vec<(f64, f64)> {
    let steps = curves.iter().map(Vec::len).min().unwrap_or(0);
    let mean =
        |step: usize| curves.iter().map(|curve| curve[step]).sum::<f64>() / curves.len() as f64;
    let losses: Vec<f64> = (0..steps).map(mean).collect();
    let window = if averaged { window(steps) } else { 1 };
    let stride = steps.div_ceil(MOST_POINTS).max(1);
    let means = running_mean(&losses, window).into_iter().enumerate();
    means
        .map(|(index, loss)| ((index + window) as f64, loss))
        .step_by(stride)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_averaged_over_seeds_and_end_with_the_shortest() {
        let curves = [vec![4.0, 3.0, 2.0], vec![2.0, 1.0]];
        assert_eq!(points(&curves, false), [(1.0, 3.0), (2.0, 2.0)]);
        let long: Vec<f64> = (0..1000).map(f64::from).collect();
        let drawn = points(&[long], true);
        // A window of 50 steps; step 50 has the mean of 0 to 49.
        assert_eq!(drawn[0], (50.0, 24.5));
        assert!(drawn.len() <= MOST_POINTS);
    }
}
