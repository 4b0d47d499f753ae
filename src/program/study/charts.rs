//! The study's pictures: over the learning rate, and over the rate of the equivalent full-matrix step.

use anyhow::Result;

use super::{method::MethodFigures, piece::Piece};
use crate::program::chart::{Axis, LineChart, SIZE, Series, draw};

/// Losses this far above the base are cut off: a run that ends there is of no use, and its height would flatten all
/// others.
const HIGHEST: f64 = 1.1;

/// A picture and what is added to the piece's name for its file.
pub type Picture = (String, String);

/// Four pictures: loss and share of runs above the base, each over both rates.
pub fn pictures(piece: &Piece, methods: &[MethodFigures], model: &str) -> Result<Vec<Picture>> {
    let axes = [
        "learning rate η",
        "η s², the rate of the equivalent full-matrix step",
    ];
    let seeds = match piece.seeds.len() {
        1 => "one seed".to_owned(),
        count => format!("mean of {count} seeds"),
    };
    let mut pictures = Vec::new();
    let names = [["loss", "above"], ["loss-full-matrix", "above-full-matrix"]];
    for (index, (axis, names)) in axes.iter().zip(names).enumerate() {
        let factor = |method: &MethodFigures| method.squared_scale.powi(index as i32);
        let loss = |method: &MethodFigures| {
            let highest = piece.base_loss * HIGHEST;
            let shown = |loss: Option<f64>| loss.filter(|loss| *loss < highest);
            let points = method.curve.iter();
            let points =
                points.map(|&(lr, loss)| (lr * factor(method), shown(loss).unwrap_or(f64::NAN)));
            Series::dotted(method.method.clone(), points.collect())
        };
        let above = |method: &MethodFigures| {
            let points = method
                .above_base
                .iter()
                .map(|&(lr, share)| (lr * factor(method), share));
            Series::dotted(method.method.clone(), points.collect())
        };
        let charts = [
            LineChart {
                title: format!(
                    "{model}: validation loss, {seeds}; the base has {:.3}",
                    piece.base_loss
                ),
                x: Axis::log(*axis),
                y: Axis::linear("validation loss (nats a token)"),
                series: methods.iter().map(loss).collect(),
            },
            LineChart {
                title: format!("{model}: share of runs that end above the base"),
                x: Axis::log(*axis),
                y: Axis::linear("share of seeds"),
                series: methods.iter().map(above).collect(),
            },
        ];
        for (name, chart) in names.iter().zip(&charts) {
            if chart.has_points() {
                pictures.push(((*name).to_owned(), draw(chart, SIZE)?));
            }
        }
    }
    Ok(pictures)
}
