//! The learning rate from which runs end above the base, by halving.

use anyhow::{Result, ensure};
use riemann_lora::train::sweep::{SweepPoint, SweepResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grid::three_figures;

/// Halvings of the step of a grid until it is this narrow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// Decades of learning rate between a run that ends at or below the base and one that ends above it.
    decades: f64,
}

impl Edge {
    /// Checks the width.
    ///
    /// # Errors
    /// A width that three figures cannot tell apart, or that is none.
    pub fn validate(self) -> Result<()> {
        ensure!(
            (0.01..=1.0).contains(&self.decades),
            "decades of edge is {}; it must be between 0.01 and 1",
            self.decades
        );
        Ok(())
    }

    /// The next learning rate to try with the method and seed that all of `results` are of; `None` where the edge is
    /// known well enough, or lies outside of the grid.
    pub fn next(self, results: &[&SweepResult], base_loss: f64) -> Option<f64> {
        let [below, above] = self.bracket(results, base_loss)?;
        let wide = (above / below).log10() > self.decades * 1.01;
        wide.then(|| three_figures((below * above).sqrt()))
    }

    /// The highest learning rate with nothing above the base at or below it, and the lowest above that.
    fn bracket(self, results: &[&SweepResult], base_loss: f64) -> Option<[f64; 2]> {
        let mut results = results.to_vec();
        results.sort_by(|one, other| one.point.lr.total_cmp(&other.point.lr));
        let is_above =
            |result: &&SweepResult| result.validation_loss.is_none_or(|loss| loss > base_loss);
        let first = results.iter().position(is_above)?;
        Some([
            results.get(first.checked_sub(1)?)?.point.lr,
            results[first].point.lr,
        ])
    }
}

/// The points that the edges of `points`' methods and seeds ask for next, all of which have to be finished.
pub fn next_points(
    edge: Edge,
    points: &[SweepPoint],
    results: &[SweepResult],
    base_loss: f64,
) -> Vec<SweepPoint> {
    let mut next: Vec<SweepPoint> = Vec::new();
    for point in points {
        let same = |other: &SweepPoint| other.method == point.method && other.seed == point.seed;
        if next.iter().any(same) {
            continue;
        }
        let own: Vec<&SweepResult> = results
            .iter()
            .filter(|result| same(&result.point))
            .collect();
        let grid_is_finished = points
            .iter()
            .filter(|other| same(other))
            .all(|other| own.iter().any(|result| result.point == *other));
        if let Some(lr) = edge.next(&own, base_loss).filter(|_| grid_is_finished) {
            next.push(SweepPoint {
                lr,
                ..point.clone()
            });
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(lr: f64, loss: Option<f64>) -> SweepResult {
        SweepResult {
            point: SweepPoint {
                method: "x".into(),
                lr,
                seed: 0,
            },
            validation_loss: loss,
            diverged_at: None,
            losses: vec![],
        }
    }

    /// Trains until the edge, which is at `truth`, is known.
    fn rates_tried(truth: f64) -> Vec<f64> {
        let edge = Edge { decades: 0.1 };
        let loss = |lr: f64| if lr > truth { None } else { Some(2.0) };
        let mut results: Vec<SweepResult> = [0.1, 1.0].map(|lr| result(lr, loss(lr))).to_vec();
        let points: Vec<SweepPoint> = results.iter().map(|result| result.point.clone()).collect();
        let mut tried = Vec::new();
        while let [next] = &next_points(edge, &points, &results, 3.0)[..] {
            tried.push(next.lr);
            results.push(result(next.lr, loss(next.lr)));
        }
        tried
    }

    #[test]
    fn a_decade_is_halved_four_times() {
        assert_eq!(rates_tried(0.5), [0.316, 0.562, 0.421, 0.486]);
        // Outside of the grid there is nothing to halve.
        assert_eq!(rates_tried(0.01), [0.0; 0]);
        assert_eq!(rates_tried(10.0), [0.0; 0]);
    }

    #[test]
    fn an_edge_waits_for_its_grid() {
        let edge = Edge { decades: 0.1 };
        let results = [result(0.1, Some(2.0)), result(1.0, Some(4.0))];
        let mut points: Vec<SweepPoint> =
            results.iter().map(|result| result.point.clone()).collect();
        assert_eq!(next_points(edge, &points, &results, 3.0).len(), 1);
        points.push(SweepPoint {
            lr: 10.0,
            ..points[0].clone()
        });
        assert_eq!(next_points(edge, &points, &results, 3.0), []);
        assert!(Edge { decades: 0.0 }.validate().is_err());
    }
}
