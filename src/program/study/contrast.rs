//! A method against another: which is better, and which is more robust to the learning rate.

use riemann_lora::train::sweep::{GoodRange, good_range};
use serde::Serialize;

use super::{
    bootstrap,
    curve::{all_seeds, chosen, mean_over},
    interval::{Interval, mean, of_mean},
    piece::{MoreSeeds, Piece, Runs},
    regret::regret,
    speed,
};

/// A good learning rate ends within so many nats of the best.
pub const NATS: f64 = 0.05;
/// Whoever is within this share of the other's best loss has got there.
const THERE: f64 = 0.05;

/// What an interval says of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It excludes equality, in the claim's favour.
    Confirmed,
    /// It excludes equality the other way.
    Refuted,
    /// It does not exclude equality.
    Unresolved,
}

/// `method` against `against` on one model. Losses are of the half that reports, in nats; each method is at the rate that
/// the other half chose. A difference is `method` − `against`, so that below 0 is in the method's favour.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contrast {
    /// Whose claim it is.
    pub method: String,
    /// What it is held against.
    pub against: String,
    /// Seeds of `difference`: those of the grid, and more at both methods' rates. All else is of those of the grid.
    pub seeds: usize,
    /// Learning rates of `method` and of `against`.
    pub lrs: [f64; 2],
    /// Mean losses of both.
    pub losses: [f64; 2],
    /// Mean over seeds of the paired difference.
    pub difference: f64,
    /// Lower end of its interval by Student's t; `None` with fewer than two seeds.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Its interval by the bootstrap over seeds.
    pub bootstrap: Option<Interval>,
    /// Decades within [`NATS`] of their own best, of both.
    pub widths: [f64; 2],
    /// Whether the grid cuts them.
    pub widths_cut: [bool; 2],
    /// The first over the second; `None` where that is not finite.
    pub width_ratio: Option<f64>,
    /// Lower end of its interval by the bootstrap over seeds, in which each draw chooses its own best rates; `None` where
    /// it is not finite.
    pub width_low: Option<f64>,
    /// Upper end.
    pub width_high: Option<f64>,
    /// Mean regret over a decade either side of the own best, of both.
    pub regrets: [f64; 2],
    /// Whether the grid cuts the decade.
    pub regrets_cut: [bool; 2],
    /// Mean over seeds of the paired difference of regrets.
    pub regret_difference: f64,
    /// Lower end of its interval by Student's t.
    pub regret_low: Option<f64>,
    /// Upper end.
    pub regret_high: Option<f64>,
    /// Steps until the training loss is within 5 % of what `against` ends at, as a share of the steps that `against`
    /// takes: the median over seeds; `None` where most never get there.
    pub step_ratio: Option<f64>,
    /// Seeds that get there.
    pub seeds_there: usize,
    /// Of `difference`.
    pub verdict_better: Verdict,
    /// Of regret and width, which have to agree.
    pub verdict_robust: Verdict,
}

impl Contrast {
    /// `None` where one of the methods is missing, or has no rate at which all seeds are finite.
    pub fn of(piece: &Piece, method: &str, against: &str) -> Option<Self> {
        let (one, other) = (piece.method(method)?, piece.method(against)?);
        let sides = [
            Side::of(one, piece.base_loss)?,
            Side::of(other, piece.base_loss)?,
        ];
        let [ours, theirs] = &sides;
        let mut differences = paired(&ours.losses, &theirs.losses);
        differences.extend(more_pairs(ours, theirs));
        let interval = of_mean(&differences);
        let regrets = paired(&ours.regrets, &theirs.regrets);
        let regret_interval = of_mean(&regrets);
        let ratio = |seeds: &[usize]| {
            let width =
                |runs: &Runs| own_range(runs, seeds).map_or(f64::NAN, |range| range.decades);
            width(one) / width(other)
        };
        let width = bootstrap::interval(piece.seeds.len(), ratio);
        let steps = step_ratios(ours, theirs);
        Some(Self {
            method: method.to_owned(),
            against: against.to_owned(),
            seeds: differences.len(),
            lrs: [ours.lr, theirs.lr],
            losses: [mean(&ours.losses), mean(&theirs.losses)],
            difference: mean(&differences),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            bootstrap: bootstrap::interval(differences.len(), |seeds| {
                mean(
                    &seeds
                        .iter()
                        .map(|&seed| differences[seed])
                        .collect::<Vec<f64>>(),
                )
            }),
            widths: [ours.range.decades, theirs.range.decades],
            widths_cut: [&ours.range, &theirs.range]
                .map(|range| range.cut_below || range.cut_above),
            width_ratio: finite(ratio(&all_seeds(one))),
            width_low: width.and_then(|interval| finite(interval.low)),
            width_high: width.and_then(|interval| finite(interval.high)),
            regrets: [mean(&ours.regrets), mean(&theirs.regrets)],
            regrets_cut: [ours.regret_is_cut, theirs.regret_is_cut],
            regret_difference: mean(&regrets),
            regret_low: regret_interval.map(|interval| interval.low),
            regret_high: regret_interval.map(|interval| interval.high),
            step_ratio: median(&steps),
            seeds_there: steps.iter().filter(|ratio| ratio.is_finite()).count(),
            verdict_better: better(interval),
            verdict_robust: robust(regret_interval, width),
        })
    }
}

/// One method of a contrast, at its chosen rate.
struct Side<'a> {
    lr: f64,
    more: &'a [MoreSeeds],
    /// Of each seed.
    losses: Vec<f64>,
    /// Training losses of each seed.
    curves: &'a [Vec<f64>],
    range: GoodRange,
    /// Of each seed.
    regrets: Vec<f64>,
    regret_is_cut: bool,
}

impl<'a> Side<'a> {
    fn of(runs: &'a Runs, base_loss: f64) -> Option<Self> {
        let seeds = all_seeds(runs);
        let best = chosen(runs, &seeds)?;
        let losses: Option<Vec<f64>> = runs.reporting[best].iter().copied().collect();
        let of_seed = |&seed: &usize| {
            let losses: Vec<Option<f64>> = runs.reporting.iter().map(|row| row[seed]).collect();
            regret(&runs.lrs, &losses, best, base_loss)
        };
        let regrets: Vec<_> = seeds.iter().map(of_seed).collect::<Option<_>>()?;
        Some(Self {
            lr: runs.lrs[best],
            more: &runs.more,
            losses: losses?,
            curves: &runs.curves[best],
            range: own_range(runs, &seeds)?,
            regret_is_cut: regrets.iter().any(|regret| regret.is_cut),
            regrets: regrets.iter().map(|regret| regret.mean).collect(),
        })
    }
}

/// The range within [`NATS`] of the method's own best, on the mean over `seeds`.
pub fn own_range(runs: &Runs, seeds: &[usize]) -> Option<GoodRange> {
    let best = chosen(runs, seeds)?;
    let losses = mean_over(&runs.reporting, seeds);
    Some(good_range(&runs.lrs, &losses, best, losses[best]? + NATS))
}

/// The steps of each seed until it is there, over those of the other method.
fn step_ratios(ours: &Side, theirs: &Side) -> Vec<f64> {
    let of_seed = |(own, other): (&Vec<f64>, &Vec<f64>)| {
        let window = speed::window(other.len());
        let end = *speed::running_mean(other, window).last()?;
        let target = end * (1.0 + THERE);
        let steps = |losses: &Vec<f64>| Some(speed::steps_to(losses, window, target)? as f64);
        Some(steps(own)? / steps(other)?)
    };
    let pairs = ours.curves.iter().zip(theirs.curves);
    pairs
        .map(|pair| of_seed(pair).unwrap_or(f64::INFINITY))
        .collect()
}

/// Differences of the seeds that both methods have at their chosen rates beside those of the grid.
fn more_pairs(ours: &Side, theirs: &Side) -> Vec<f64> {
    let of_seed = |run: &MoreSeeds| {
        let other = |other: &&MoreSeeds| other.seed == run.seed && other.lr == theirs.lr;
        Some(run.loss? - theirs.more.iter().find(other)?.loss?)
    };
    let own = ours.more.iter().filter(|run| run.lr == ours.lr);
    own.filter_map(of_seed).collect()
}

fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    bootstrap::quantile(&values, 0.5).and_then(finite)
}

fn paired(one: &[f64], other: &[f64]) -> Vec<f64> {
    one.iter()
        .zip(other)
        .map(|(one, other)| one - other)
        .collect()
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn better(difference: Option<Interval>) -> Verdict {
    match difference {
        Some(interval) if interval.below(0.0) => Verdict::Confirmed,
        Some(interval) if interval.above(0.0) => Verdict::Refuted,
        _ => Verdict::Unresolved,
    }
}

fn robust(regret: Option<Interval>, width_ratio: Option<Interval>) -> Verdict {
    match regret.zip(width_ratio) {
        Some((regret, ratio)) if regret.below(0.0) && ratio.above(1.0) => Verdict::Confirmed,
        Some((regret, ratio)) if regret.above(0.0) && ratio.below(1.0) => Verdict::Refuted,
        _ => Verdict::Unresolved,
    }
}

/// What is true of a claim that has to hold on several models: what it is on all of them, else unresolved. A model that
/// is missing is one on which it is unresolved.
pub fn on_all(verdicts: &[Option<Verdict>]) -> Verdict {
    match verdicts.first() {
        Some(Some(first)) if verdicts.iter().all(|other| *other == Some(*first)) => *first,
        _ => Verdict::Unresolved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::study::curve::tests::runs;

    /// Three seeds that differ by 0.1, at rates a decade apart.
    fn method(name: &str, means: [f64; 4], curve: &[f64]) -> Runs {
        let rows: Vec<Vec<Option<f64>>> = means
            .iter()
            .map(|mean| [-0.1, 0.0, 0.1].map(|off| Some(mean + off)).to_vec())
            .collect();
        let rows: Vec<&[Option<f64>]> = rows.iter().map(Vec::as_slice).collect();
        let mut runs = runs(&[1e-3, 1e-2, 1e-1, 1.0], &rows);
        runs.method = name.into();
        runs.curves = vec![vec![curve.to_vec(); 3]; 4];
        runs
    }

    fn piece(methods: Vec<Runs>) -> Piece {
        Piece {
            base_loss: 5.0,
            seeds: vec![0, 1, 2],
            methods,
            finished_runs: 24,
            pending_runs: 0,
            processor_seconds: 1.0,
        }
    }

    #[test]
    fn numbers_are_those_of_a_worked_example() {
        let piece = piece(vec![
            method("narrow", [4.0, 3.0, 2.0, 4.0], &[5.0, 4.0, 3.0, 2.0]),
            method("wide", [3.0, 1.8, 1.8, 1.9], &[5.0, 2.0, 2.0, 2.0]),
        ]);
        let found = Contrast::of(&piece, "wide", "narrow").expect("both are there");
        assert_eq!(found.lrs, [1e-2, 1e-1]);
        let close = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        };
        close(found.difference, -0.2);
        close(found.low.expect("an interval"), -0.2);
        // Of the wide: 0.05/1.2 of a decade down, one decade level, half of the next; of the narrow 0.05/1 and 0.05/2.
        close(found.widths[0], 0.05 / 1.2 + 1.5);
        close(found.widths[1], 0.05 + 0.025);
        close(
            found.width_ratio.expect("a ratio"),
            (0.05 / 1.2 + 1.5) / 0.075,
        );
        // 1.2 down to 0 over a decade, then 0; and 1 down to 0, then up to 2: halves of 0.6, and of 0.5 and 1.
        close(found.regrets[0], 0.3);
        close(found.regrets[1], 0.75);
        close(found.regret_difference, -0.45);
        assert_eq!(
            (found.widths_cut, found.regrets_cut),
            ([false; 2], [false; 2])
        );
        // The target is 2.1: after two steps, and after four.
        assert_eq!((found.step_ratio, found.seeds_there), (Some(0.5), 3));
        assert_eq!(found.verdict_better, Verdict::Confirmed);
        assert_eq!(found.verdict_robust, Verdict::Confirmed);
        let back = Contrast::of(&piece, "narrow", "wide").expect("both are there");
        assert_eq!(back.verdict_better, Verdict::Refuted);
        assert_eq!(back.verdict_robust, Verdict::Refuted);
        assert_eq!(Contrast::of(&piece, "wide", "none"), None);
    }

    #[test]
    fn more_seeds_count_where_both_are_at_their_best() {
        let mut piece = piece(vec![
            method("x", [4.0, 3.0, 2.0, 4.0], &[]),
            method("y", [4.0, 3.0, 1.0, 4.0], &[]),
        ]);
        let more = |seed, lr, loss| MoreSeeds {
            seed,
            lr,
            loss: Some(loss),
        };
        piece.methods[0].more = vec![more(7, 1e-1, 2.0), more(8, 1e-2, 3.0)];
        piece.methods[1].more = vec![more(7, 1e-1, 1.4), more(8, 1e-1, 1.0), more(9, 1e-1, 1.0)];
        let found = Contrast::of(&piece, "y", "x").expect("both are there");
        assert_eq!(found.seeds, 4);
        // Three times −1, and −0.6.
        assert!((found.difference + 0.9).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn one_seed_decides_nothing() {
        let mut piece = piece(vec![
            method("x", [4.0, 3.0, 2.0, 4.0], &[]),
            method("y", [4.0, 3.0, 1.0, 4.0], &[]),
        ]);
        piece.seeds.truncate(1);
        for runs in &mut piece.methods {
            let rows = runs.choosing.iter_mut().chain(&mut runs.reporting);
            rows.for_each(|row| row.truncate(1));
            runs.curves.iter_mut().for_each(|row| row.truncate(1));
        }
        let found = Contrast::of(&piece, "y", "x").expect("both are there");
        assert_eq!(
            (found.low, found.width_low, found.step_ratio),
            (None, None, None)
        );
        assert_eq!(found.verdict_better, Verdict::Unresolved);
        assert_eq!(found.verdict_robust, Verdict::Unresolved);
    }

    #[test]
    fn a_claim_holds_where_it_holds_on_every_model() {
        use Verdict::{Confirmed, Refuted, Unresolved};
        assert_eq!(on_all(&[Some(Confirmed), Some(Confirmed)]), Confirmed);
        assert_eq!(on_all(&[Some(Refuted), Some(Refuted)]), Refuted);
        assert_eq!(on_all(&[Some(Confirmed), Some(Refuted)]), Unresolved);
        assert_eq!(on_all(&[Some(Confirmed), None]), Unresolved);
        assert_eq!(on_all(&[None, None]), Unresolved);
    }
}
