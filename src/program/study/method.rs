//! How one method did over learning rates and seeds.

use riemann_lora::train::sweep::{GoodRange, good_range};
use serde::Serialize;

use super::{
    above_base::{half_rate, shares},
    bootstrap,
    contrast::{NATS, own_range},
    curve::{all_seeds, chosen, mean_over},
    interval::{Interval, mean, of_mean},
    piece::{Piece, Runs},
    regret::regret,
};

/// A method on one model. Losses are of the half that reports, in nats.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MethodFigures {
    pub method: String,
    /// The learning rate that the other half chose; `None` where every rate has a seed that diverged, and then nothing
    /// else is known that needs one.
    pub lr: Option<f64>,
    /// (alpha / r)²: times a learning rate, the rate of the equivalent full-matrix step.
    pub squared_scale: f64,
    /// Whether it is the first or last of the grid.
    pub lr_at_edge: bool,
    /// Mean loss there.
    pub loss: Option<f64>,
    /// Its interval by Student's t.
    pub loss_interval: Option<Interval>,
    /// Loss of each seed there.
    pub losses: Vec<f64>,
    /// Decades within [`NATS`] of its own best.
    pub width_own: Width,
    /// Decades within [`NATS`] of the best of all methods.
    pub width_overall: Width,
    /// Mean regret over a decade either side of the own best, and whether the grid cuts it.
    pub regret: Option<f64>,
    pub regret_cut: bool,
    /// Share of seeds that ended above the base or diverged, at each learning rate.
    pub above_base: Vec<(f64, f64)>,
    /// The learning rate at which it passes one half, and its interval by the bootstrap; `None` where it does not.
    pub half_above_base_lr: Option<f64>,
    pub half_above_base_interval: Option<Interval>,
    /// Mean loss at each learning rate; `None` where a seed diverged.
    pub curve: Vec<(f64, Option<f64>)>,
}

/// A width in decades of learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Width {
    /// Of the mean over seeds.
    pub decades: f64,
    /// By the bootstrap over seeds.
    pub interval: Option<Interval>,
    /// Whether the grid ends before the good range does, below or above.
    pub cut_below: bool,
    pub cut_above: bool,
}

impl Width {
    fn new(runs: &Runs, range: impl Fn(&[usize]) -> Option<GoodRange>) -> Self {
        let seeds = all_seeds(runs);
        let whole = range(&seeds).unwrap_or_default();
        Self {
            decades: whole.decades,
            interval: bootstrap::interval(seeds.len(), |seeds| {
                range(seeds).unwrap_or_default().decades
            }),
            cut_below: whole.cut_below,
            cut_above: whole.cut_above,
        }
    }
}

/// All methods of a piece.
pub fn figures(piece: &Piece) -> Vec<MethodFigures> {
    piece.methods.iter().map(|runs| of(piece, runs)).collect()
}

fn of(piece: &Piece, runs: &Runs) -> MethodFigures {
    let seeds = all_seeds(runs);
    let best = chosen(runs, &seeds);
    let losses: Vec<f64> = best.map_or_else(Vec::new, |best| {
        runs.reporting[best].iter().copied().flatten().collect()
    });
    let finite = losses.len() == seeds.len() && !losses.is_empty();
    let lr = best.map(|best| runs.lrs[best]);
    let regrets = best.map_or_else(Vec::new, |best| {
        let of_seed = |&seed: &usize| {
            let losses: Vec<Option<f64>> = runs.reporting.iter().map(|row| row[seed]).collect();
            regret(&runs.lrs, &losses, best, piece.base_loss)
        };
        seeds.iter().filter_map(of_seed).collect()
    });
    let means: Vec<f64> = regrets.iter().map(|regret| regret.mean).collect();
    let above = shares(&runs.reporting, &seeds, piece.base_loss);
    let half =
        |seeds: &[usize]| half_rate(&runs.lrs, &shares(&runs.reporting, seeds, piece.base_loss));
    let lr_of = |place: f64| Some(10f64.powf(place)).filter(|lr| lr.is_finite());
    MethodFigures {
        method: runs.method.clone(),
        lr,
        squared_scale: runs.squared_scale,
        lr_at_edge: best.is_some_and(|best| best == 0 || best + 1 == runs.lrs.len()),
        loss: finite.then(|| mean(&losses)),
        loss_interval: of_mean(&losses),
        losses,
        width_own: Width::new(runs, |seeds| own_range(runs, seeds)),
        width_overall: Width::new(runs, |seeds| {
            let best = chosen(runs, seeds)?;
            let losses = mean_over(&runs.reporting, seeds);
            let limit = best_of_all(piece, seeds)? + NATS;
            Some(good_range(&runs.lrs, &losses, best, limit))
        }),
        regret: (!means.is_empty()).then(|| mean(&means)),
        regret_cut: regrets.iter().any(|regret| regret.is_cut),
        above_base: runs.lrs.iter().copied().zip(above).collect(),
        half_above_base_lr: lr_of(half(&seeds)),
        half_above_base_interval: bootstrap::interval(seeds.len(), half).and_then(|places| {
            Some(Interval {
                low: lr_of(places.low)?,
                high: lr_of(places.high)?,
            })
        }),
        curve: runs
            .lrs
            .iter()
            .copied()
            .zip(mean_over(&runs.reporting, &seeds))
            .collect(),
    }
}

/// Least mean loss of all methods, each at its chosen rate.
fn best_of_all(piece: &Piece, seeds: &[usize]) -> Option<f64> {
    let of_method = |runs: &Runs| mean_over(&runs.reporting, seeds)[chosen(runs, seeds)?];
    let losses = piece.methods.iter().filter_map(of_method);
    losses.min_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::study::curve::tests::runs;

    #[test]
    fn numbers_are_those_of_a_worked_example() {
        let mut good = runs(
            &[1e-3, 1e-2, 1e-1],
            &[
                &[Some(3.0), Some(3.0)],
                &[Some(2.0), Some(2.2)],
                &[Some(6.0), None],
            ],
        );
        good.method = "good".into();
        let mut bad = runs(
            &[1e-3, 1e-2],
            &[&[Some(2.5), Some(2.5)], &[Some(2.12), Some(2.12)]],
        );
        bad.method = "bad".into();
        let piece = Piece {
            base_loss: 5.0,
            seeds: vec![0, 1],
            methods: vec![good, bad],
            finished_runs: 10,
            pending_runs: 0,
            processor_seconds: 0.0,
        };
        let [good, bad] = &figures(&piece)[..] else {
            panic!("two methods");
        };
        assert_eq!((good.lr, good.squared_scale), (Some(1e-2), 64.0));
        assert_eq!((good.loss, good.lr_at_edge), (Some(2.1), false));
        // 2.15 lies 0.05/0.9 of a decade below the best; above it a seed diverged.
        assert!(
            (good.width_own.decades - 0.05 / 0.9).abs() < 1e-9,
            "{good:?}"
        );
        assert_eq!(
            (good.width_own.cut_below, good.width_own.cut_above),
            (false, false)
        );
        assert_eq!(good.above_base, [(1e-3, 0.0), (1e-2, 0.0), (1e-1, 1.0)]);
        let half = good.half_above_base_lr.expect("it passes one half");
        assert!((half.log10() + 1.5).abs() < 1e-9, "{half}");
        // The best of all is 2.1: 2.15 lies 0.03/0.38 of a decade from 2.12, and the grid ends there.
        assert!(
            (bad.width_overall.decades - 0.03 / 0.38).abs() < 1e-9,
            "{bad:?}"
        );
        assert!(bad.width_overall.cut_above && bad.lr_at_edge && bad.regret_cut);
        assert_eq!(bad.half_above_base_lr, None);
    }
}
