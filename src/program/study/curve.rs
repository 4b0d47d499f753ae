//! A method's loss over learning rates, and which rate is chosen.

use super::{interval::mean, piece::Runs};

/// Mean loss over the seeds at `seeds`; `None` where one of them diverged.
pub fn mean_over(losses: &[Vec<Option<f64>>], seeds: &[usize]) -> Vec<Option<f64>> {
    let of_lr = |row: &Vec<Option<f64>>| {
        let values: Option<Vec<f64>> = seeds.iter().map(|&seed| row[seed]).collect();
        values.map(|values| mean(&values))
    };
    losses.iter().map(of_lr).collect()
}

/// Index of the learning rate with the least mean loss on the half that chooses; `None` where every rate has a seed
/// that diverged.
pub fn chosen(runs: &Runs, seeds: &[usize]) -> Option<usize> {
    let losses = mean_over(&runs.choosing, seeds);
    let finite = losses
        .iter()
        .enumerate()
        .filter_map(|(i, loss)| Some((i, (*loss)?)));
    finite.min_by(|x, y| x.1.total_cmp(&y.1)).map(|(i, _)| i)
}

/// All seeds of the runs.
pub fn all_seeds(runs: &Runs) -> Vec<usize> {
    (0..runs.choosing.first().map_or(0, Vec::len)).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Runs whose halves agree, [learning rate][seed].
    pub fn runs(lrs: &[f64], losses: &[&[Option<f64>]]) -> Runs {
        let losses: Vec<Vec<Option<f64>>> = losses.iter().map(|row| row.to_vec()).collect();
        Runs {
            method: "x".into(),
            squared_scale: 64.0,
            lrs: lrs.to_vec(),
            choosing: losses.clone(),
            curves: losses.iter().map(|row| vec![vec![]; row.len()]).collect(),
            reporting: losses,
            more: vec![],
        }
    }

    #[test]
    fn the_half_that_chooses_chooses() {
        let mut runs = runs(
            &[0.1, 0.2, 0.3],
            &[
                &[Some(3.0), Some(2.0)],
                &[Some(2.2), Some(2.2)],
                &[None, Some(1.0)],
            ],
        );
        runs.reporting[0] = vec![Some(0.0), Some(0.0)];
        assert_eq!(chosen(&runs, &[0, 1]), Some(1));
        assert_eq!(chosen(&runs, &[1, 1]), Some(2));
        assert_eq!(
            mean_over(&runs.reporting, &all_seeds(&runs)),
            [Some(0.0), Some(2.2), None]
        );
    }
}
