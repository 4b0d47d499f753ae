//! Methods over learning rates: what is to be trained, and what came out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A good learning rate is one whose loss is within this share of the best.
pub const TOLERANCE: f64 = 0.05;

/// One run of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SweepPoint {
    /// Name of the method.
    pub method: String,
    /// Learning rate.
    pub lr: f64,
    /// Seed of adapters, batches and dropout.
    pub seed: u32,
}

/// What became of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SweepResult {
    /// Which run.
    #[serde(flatten)]
    pub point: SweepPoint,
    /// Validation loss after the last step; `None` where the run has diverged.
    pub validation_loss: Option<f64>,
    /// The step at which its loss or gradient stopped being finite.
    pub diverged_at: Option<u32>,
    /// Training loss of every step; ends where the run diverged.
    pub losses: Vec<f64>,
}

/// The points of `wanted` that have no result yet, in their order.
pub fn pending(wanted: Vec<SweepPoint>, results: &[SweepResult]) -> Vec<SweepPoint> {
    let open = |point: &SweepPoint| !results.iter().any(|result| result.point == *point);
    wanted.into_iter().filter(open).collect()
}

/// Mean validation loss over learning rates, of one method.
///
/// The key is the index in `lrs`. A learning rate with a diverged seed has no mean.
fn curve(method: &str, lrs: &[f64], results: &[SweepResult]) -> BTreeMap<usize, Option<f64>> {
    let mut curve = BTreeMap::new();
    for (index, lr) in lrs.iter().enumerate() {
        let found: Vec<Option<f64>> = results
            .iter()
            .filter(|result| result.point.method == method && result.point.lr == *lr)
            .map(|result| result.validation_loss)
            .collect();
        if !found.is_empty() {
            let sum: Option<f64> = found.iter().copied().sum();
            curve.insert(index, sum.map(|sum| sum / found.len() as f64));
        }
    }
    curve
}

/// How a method did over its learning rates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MethodSummary {
    /// Lowest mean validation loss; `None` where all diverged.
    pub best_loss: Option<f64>,
    /// Its learning rate.
    pub best_lr: Option<f64>,
    /// Decades of learning rates within [`TOLERANCE`] of its own best.
    pub width_own_decades: f64,
    /// Decades of learning rates within [`TOLERANCE`] of the best of all methods.
    pub width_overall_decades: f64,
    /// What the tried learning rates prove of `width_own_decades`.
    pub width_own: WidthBounds,
    /// What they prove of `width_overall_decades`.
    pub width_overall: WidthBounds,
    /// Runs whose loss stopped being finite.
    pub diverged: usize,
    /// Runs that ended above the loss of the base they started from, diverged ones not counted.
    pub worse_than_base: usize,
    /// Whether the best learning rate is the first or last of the grid, so that a better one may lie
    /// outside.
    pub best_at_edge: bool,
    /// Learning rate, mean validation loss over seeds, seeds.
    pub curve: Vec<CurvePoint>,
}

/// Decades of learning rates between which the true width of a good range lies.
///
/// A learning rate that is tried between others brings the bounds nearer to each other and never
/// apart, as long as the best stays the best; an interpolated width may jump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WidthBounds {
    /// Between the outermost good learning rates that were tried.
    pub least: f64,
    /// Between their neighbours, which are not good; `None` where the grid ends before one.
    pub most: Option<f64>,
}

/// One learning rate of a method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CurvePoint {
    /// Learning rate.
    pub lr: f64,
    /// Mean over seeds; `None` where one diverged.
    pub loss: Option<f64>,
    /// Validation loss of each seed.
    pub seeds: Vec<Option<f64>>,
}

/// Sorted learning rates that a method was tried at.
pub fn lrs_of(method: &str, results: &[SweepResult]) -> Vec<f64> {
    let mut lrs: Vec<f64> = results
        .iter()
        .filter(|result| result.point.method == method)
        .map(|result| result.point.lr)
        .collect();
    lrs.sort_by(f64::total_cmp);
    lrs.dedup();
    lrs
}

/// Index in `lrs` of a method's best learning rate.
pub fn best_index(method: &str, lrs: &[f64], results: &[SweepResult]) -> Option<usize> {
    let curve = curve(method, lrs, results);
    let finite = curve.iter().filter_map(|(&i, loss)| Some((i, (*loss)?)));
    finite.min_by(|x, y| x.1.total_cmp(&y.1)).map(|(i, _)| i)
}

/// Learning rates around the best in which the loss stays at or below a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GoodRange {
    /// How many decades, interpolated.
    pub decades: f64,
    /// Between which it lies, interpolated or not.
    pub bounds: WidthBounds,
    /// Whether the grid's first learning rate is one of them, so that there may be more.
    pub cut_below: bool,
    /// Whether the grid's last is.
    pub cut_above: bool,
}

/// The range around `lrs[best]` in which the loss stays at or below `limit`.
///
/// Between two learning rates the loss is taken to be a straight line over log lr; towards a
/// neighbour that diverged, or past the end of the grid, nothing is added. Ranges apart from the
/// best's are not counted.
pub fn good_range(lrs: &[f64], losses: &[Option<f64>], best: usize, limit: f64) -> GoodRange {
    let Some(best_loss) = losses[best].filter(|loss| *loss <= limit) else {
        return GoodRange::default();
    };
    // Decades in one direction, interpolated, to the last good and to the first other learning rate.
    let reach = |next: &dyn Fn(usize) -> Option<usize>| {
        let (mut at, mut loss_at, mut least) = (best, best_loss, 0.0);
        while let Some(neighbour) = next(at) {
            let step = (lrs[neighbour] / lrs[at]).log10().abs();
            let Some(loss) = losses[neighbour] else {
                return (least, least, Some(least + step));
            };
            if loss > limit {
                let decades = least + step * (limit - loss_at) / (loss - loss_at);
                return (decades, least, Some(least + step));
            }
            least += step;
            (at, loss_at) = (neighbour, loss);
        }
        (least, least, None)
    };
    let (below, least_below, most_below) = reach(&|i| i.checked_sub(1));
    let (above, least_above, most_above) = reach(&|i| Some(i + 1).filter(|next| *next < lrs.len()));
    GoodRange {
        decades: below + above,
        bounds: WidthBounds {
            least: least_below + least_above,
            most: most_below
                .zip(most_above)
                .map(|(below, above)| below + above),
        },
        cut_below: most_below.is_none(),
        cut_above: most_above.is_none(),
    }
}

/// How every method did. `base_loss` is the validation loss before any step.
pub fn summarise(
    methods: &[String],
    base_loss: f64,
    results: &[SweepResult],
) -> BTreeMap<String, MethodSummary> {
    let curves: Vec<(Vec<f64>, Vec<Option<f64>>)> = methods
        .iter()
        .map(|method| {
            let lrs = lrs_of(method, results);
            let losses = curve(method, &lrs, results).into_values().collect();
            (lrs, losses)
        })
        .collect();
    let overall = curves
        .iter()
        .flat_map(|(_, losses)| losses.iter().flatten().copied())
        .fold(f64::INFINITY, f64::min);
    let summary = |method: &String, lrs: &[f64], losses: &[Option<f64>]| {
        let best = best_index(method, lrs, results);
        let best_loss = best.and_then(|best| losses[best]);
        let range_to = |limit: f64| {
            best.map_or_else(GoodRange::default, |best| {
                good_range(lrs, losses, best, limit)
            })
        };
        let own_range = range_to(best_loss.unwrap_or(0.0) * (1.0 + TOLERANCE));
        let overall_range = range_to(overall * (1.0 + TOLERANCE));
        let own: Vec<&SweepResult> = results
            .iter()
            .filter(|result| result.point.method == *method)
            .collect();
        let at = |lr: f64| {
            let seeds = own.iter().filter(|result| result.point.lr == lr);
            seeds.map(|result| result.validation_loss).collect()
        };
        MethodSummary {
            best_loss,
            best_lr: best.map(|best| lrs[best]),
            width_own_decades: own_range.decades,
            width_overall_decades: overall_range.decades,
            width_own: own_range.bounds,
            width_overall: overall_range.bounds,
            diverged: own.iter().filter(|r| r.validation_loss.is_none()).count(),
            worse_than_base: own
                .iter()
                .filter(|r| r.validation_loss.is_some_and(|loss| loss > base_loss))
                .count(),
            best_at_edge: best.is_some_and(|best| best == 0 || best + 1 == lrs.len()),
            curve: lrs
                .iter()
                .zip(losses)
                .map(|(&lr, &loss)| CurvePoint {
                    lr,
                    loss,
                    seeds: at(lr),
                })
                .collect(),
        }
    };
    methods
        .iter()
        .zip(&curves)
        .map(|(method, (lrs, losses))| (method.clone(), summary(method, lrs, losses)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(method: &str, lr: f64, seed: u32, loss: Option<f64>) -> SweepResult {
        SweepResult {
            point: SweepPoint {
                method: method.into(),
                lr,
                seed,
            },
            validation_loss: loss,
            diverged_at: loss.is_none().then_some(3),
            losses: vec![3.0],
        }
    }

    #[test]
    fn widths_are_interpolated_over_log_lr_and_stop_at_divergence() {
        let results = [
            result("x", 1e-4, 0, Some(2.2)),
            result("x", 1e-3, 0, Some(2.0)),
            result("x", 1e-2, 0, Some(2.05)),
            result("x", 1e-1, 0, None),
            result("y", 1e-3, 0, Some(1.0)),
        ];
        let summary = summarise(&["x".into(), "y".into()], 2.1, &results);
        let x = &summary["x"];
        assert_eq!((x.best_loss, x.best_lr), (Some(2.0), Some(1e-3)));
        // Half a decade down to 2.1, one whole decade up, nothing towards the diverged run.
        assert!((x.width_own_decades - 1.5).abs() < 1e-12, "{x:?}");
        assert_eq!(x.width_overall_decades, 0.0);
        assert_eq!((x.diverged, x.worse_than_base), (1, 1));
        assert!(!x.best_at_edge && summary["y"].best_at_edge);
    }

    #[test]
    fn a_good_range_says_where_the_grid_cuts_it() {
        let lrs = [1e-3, 1e-2, 1e-1];
        let range = |losses: [Option<f64>; 3]| {
            let found = good_range(&lrs, &losses, 1, 2.05);
            (
                (found.decades * 1e6).round() / 1e6,
                found.cut_below,
                found.cut_above,
            )
        };
        assert_eq!(
            range([Some(2.02), Some(2.0), Some(2.1)]),
            (1.5, true, false)
        );
        assert_eq!(range([None, Some(2.0), Some(2.05)]), (1.0, false, true));
        assert_eq!(
            range([Some(2.0), Some(2.1), Some(2.0)]),
            (0.0, false, false)
        );
    }

    #[test]
    fn a_point_between_others_brings_the_bounds_of_a_width_nearer_and_never_apart() {
        let loss = |lr: f64| 2.0 + 0.1 * lr.log10().powi(2);
        let bounds = |exponents: &[f64]| {
            let results: Vec<SweepResult> = exponents
                .iter()
                .map(|exponent| 10f64.powf(*exponent))
                .map(|lr| result("x", lr, 0, Some(loss(lr))))
                .collect();
            summarise(&["x".into()], 9.0, &results)["x"].width_own
        };
        // Within 5 % of 2 is within one decade of 1 either side: two decades.
        let coarse = bounds(&[-3.0, -1.5, 0.0, 1.5, 3.0]);
        let close = |x: f64, y: f64| (x - y).abs() < 1e-9;
        assert!(close(coarse.least, 0.0) && close(coarse.most.unwrap(), 3.0));
        let mut tried = vec![-3.0, -1.5, 0.0, 1.5, 3.0];
        let mut before = coarse;
        for more in [0.7, -0.9, 1.2, -1.1, 0.99, 0.1] {
            tried.push(more);
            let now = bounds(&tried);
            assert!(
                now.least >= before.least - 1e-12,
                "{now:?} after {before:?}"
            );
            assert!(now.most.unwrap() <= before.most.unwrap() + 1e-12);
            before = now;
        }
        assert!(close(before.least, 1.89) && close(before.most.unwrap(), 2.3));
        // A grid that ends in the range says nothing about how far it goes on.
        assert_eq!(bounds(&[-0.5, 0.0, 2.0]).most, None);
    }

    #[test]
    fn seeds_are_averaged_and_one_that_diverged_takes_its_lr_out() {
        let results = [
            result("x", 1e-3, 0, Some(2.0)),
            result("x", 1e-3, 1, Some(3.0)),
            result("x", 1e-2, 0, Some(1.0)),
            result("x", 1e-2, 1, None),
        ];
        let summary = &summarise(&["x".into()], 9.0, &results)["x"];
        assert_eq!(summary.best_loss, Some(2.5));
        assert_eq!(summary.curve[1].loss, None);
        assert_eq!(summary.curve[1].seeds, [Some(1.0), None]);
    }

    #[test]
    fn what_has_a_result_is_not_pending() {
        let results = [result("x", 1e-3, 0, Some(2.0))];
        let wanted = vec![
            results[0].point.clone(),
            SweepPoint {
                seed: 1,
                ..results[0].point.clone()
            },
        ];
        let open = pending(wanted, &results);
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].seed, 1);
    }
}
