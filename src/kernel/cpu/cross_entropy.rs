//! Cross entropy and its derivative, row by row, in place of the logits.

use burn::backend::{
    Flex,
    tensor::{FloatTensor, IntTensor},
};

use super::super::cross_entropy::CrossEntropy;
use super::super::{exponential::exp, sums::sum};
use super::host::{contiguous, tensor, values_mut};

/// Sums side by side.
const LANES: usize = 16;

impl CrossEntropy for Flex {
    fn cross_entropy(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let mut logits = contiguous(logits);
        let targets = targets.into_data();
        let targets: Vec<usize> = targets.iter::<i64>().map(|id| id as usize).collect();
        let losses = in_place(values_mut(&mut logits), &targets);
        (tensor(losses, [targets.len()]), logits)
    }

    fn cross_entropy_losses(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        let mut logits = contiguous(logits);
        let targets = targets.into_data();
        let targets: Vec<usize> = targets.iter::<i64>().map(|id| id as usize).collect();
        let losses = of_rows(values_mut(&mut logits), &targets, |row, target| {
            exponentials(row, target).loss()
        });
        tensor(losses, [targets.len()])
    }
}

/// Cross entropy of each row in nats; the row becomes its derivative with respect to the logits.
///
/// # Panics
/// If there are fewer logits than targets ask for.
fn in_place(logits: &mut [f32], targets: &[usize]) -> Vec<f32> {
    of_rows(logits, targets, |row, target| {
        let found = exponentials(row, target);
        let scale = 1.0 / found.sum;
        for value in row.iter_mut() {
            *value *= scale;
        }
        row[target] -= 1.0;
        found.loss()
    })
}

/// What `of_row` makes of each row and its target.
fn of_rows(
    logits: &mut [f32],
    targets: &[usize],
    of_row: impl Fn(&mut [f32], usize) -> f32,
) -> Vec<f32> {
    let width = logits.len() / targets.len().max(1);
    let rows = logits.chunks_exact_mut(width.max(1)).zip(targets);
    rows.map(|(row, &target)| of_row(row, target)).collect()
}

/// What the loss of a row is made of.
struct Exponentials {
    /// Σ exp(logit − largest).
    sum: f32,
    /// The target's logit, less the largest.
    wanted: f32,
}

impl Exponentials {
    fn loss(&self) -> f32 {
        self.sum.ln() - self.wanted
    }
}

/// The row becomes exp(logit − largest).
#[inline]
fn exponentials(row: &mut [f32], target: usize) -> Exponentials {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let wanted = row[target] - largest;
    for value in row.iter_mut() {
        *value = exp(*value - largest);
    }
    Exponentials {
        sum: sum::<LANES>(row),
        wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_and_derivatives_are_the_formulas() {
        let logits: Vec<f32> = (0..3 * 37)
            .map(|i| (i * 31 % 17) as f32 / 3.0 - 2.0)
            .collect();
        let targets = [0, 36, 20];
        let mut derivatives = logits.clone();
        let losses = in_place(&mut derivatives, &targets);
        for (row, target) in targets.into_iter().enumerate() {
            let logits = &logits[row * 37..][..37];
            let sum: f64 = logits.iter().map(|x| f64::from(*x).exp()).sum();
            let loss = sum.ln() - f64::from(logits[target]);
            assert!((f64::from(losses[row]) - loss).abs() < 1e-6 * loss);
            for (place, logit) in logits.iter().enumerate() {
                let expected = f64::from(*logit).exp() / sum - f64::from(u8::from(place == target));
                let ours = f64::from(derivatives[row * 37 + place]);
                assert!((ours - expected).abs() < 1e-6, "row {row}, place {place}");
            }
        }
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let mut logits = [0.0, f32::NAN, 1.0];
        assert!(in_place(&mut logits, &[0])[0].is_nan());
        assert!(in_place(&mut [], &[]).is_empty());
    }
}
