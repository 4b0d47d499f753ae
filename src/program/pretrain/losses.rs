//! All losses of a pretraining, for a result file.

use anyhow::Result;

use super::folder::Point;
use crate::program::chart::{Axis, LineChart, SIZE, Series, draw};

/// Every twentieth step and all validation losses: enough for the eye.
pub fn thinned(points: &[Point]) -> Vec<&Point> {
    let shown = |point: &&Point| point.step % 20 == 1 || point.validation_loss.is_some();
    points.iter().filter(shown).collect()
}

/// Training and validation losses as a picture.
pub fn picture(title: &str, loss: &str, points: &[Point]) -> Result<String> {
    let line = |name: &str, value: &dyn Fn(&Point) -> Option<f64>| {
        let values = points
            .iter()
            .filter_map(|p| Some((f64::from(p.step), value(p)?)));
        Series::line(name.to_owned(), values.collect())
    };
    let shown = |point: &Point| (point.step % 20 == 1).then_some(f64::from(point.loss));
    draw(
        &LineChart {
            title: title.into(),
            x: Axis::linear("step"),
            y: Axis::linear(loss),
            series: vec![
                line("training", &shown),
                line("validation", &|point| point.validation_loss),
            ],
        },
        SIZE,
    )
}
