//! Which learning rates keep features at constant size as a layer gets wider.
//!
//! The paper's section 4 trains f(x) = B A x with x in ℝⁿ and asks that, for wide layers, the
//! prediction, and the changes of it that A's and B's updates make, neither vanish nor explode. Two
//! toys on a fixed batch of Gaussian inputs:
//! - [`Toy::Scalar`]: one output and gradient descent on ½ mean (f − y)², the paper's worked example
//!   with rank r in place of 1. Its derivation starts with A = 0 and B = Θ(1), the reverse of LoRA.
//! - [`Toy::Wide`]: n outputs and Adam, the setting of its Theorem 4.1.
//!
//! Nothing of size n × n is made: a step costs O(n r N) for N inputs.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::linear_algebra::damped_inverse;
use super::random::Random;

/// Inputs N of the batch.
const SAMPLES: usize = 16;
/// δ of the preconditioner, as in the paper's experiments.
const DAMPING: f64 = 1e-6;
/// Adam's decays, as in the paper's experiments with the preconditioner; for all methods, so that
/// they differ in nothing else.
const BETAS: (f64, f64) = (0.7, 0.8);
/// Added to the root of Adam's second moment.
const EPS: f64 = 1e-12;
/// A loss so many times that of the start is a divergence.
const DIVERGED: f64 = 1e4;

/// Which network is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Toy {
    /// One output, gradient descent.
    Scalar,
    /// n outputs, Adam.
    Wide,
}

/// Where the preconditioner sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preconditioner {
    /// Nowhere.
    None,
    /// On the gradient, before the update rule: the paper's Algorithm 1 and this project's optimizers.
    Gradient,
    /// On what Adam has made of the gradient: the form that the proof of Theorem 4.1 treats.
    Update,
}

/// Which factor starts at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zero {
    /// B, as in LoRA; A has variance 1/n.
    LoraB,
    /// A, as in the paper's worked example; B has variance 1.
    LoraA,
}

/// One training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Which network.
    pub toy: Toy,
    /// Inputs n.
    pub width: usize,
    /// Rank r.
    pub rank: usize,
    /// Steps.
    pub steps: u32,
    /// Seed of inputs, targets and A.
    pub seed: u32,
    /// Which factor starts at 0.
    pub zero: Zero,
    /// Preconditioner.
    pub preconditioner: Preconditioner,
    /// Learning rate of A.
    pub lr_a: f64,
    /// Learning rate of B.
    pub lr_b: f64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Loss at the end over that at the start; infinite where it diverged.
    pub loss: f64,
    /// Root mean square of the entries of A x at the end.
    pub features: f64,
    /// The same of f(x).
    pub prediction: f64,
    /// The part of a step's change of f(x) that A's update makes, B ΔA x: root mean square over
    /// entries, mean over steps. The paper's δ¹.
    pub change_by_a: f64,
    /// The part that B's update makes, ΔB A x. The paper's δ².
    pub change_by_b: f64,
}

struct Moments {
    first: DMatrix<f64>,
    second: DMatrix<f64>,
}

impl Moments {
    fn new(factor: &DMatrix<f64>) -> Self {
        let zeros = DMatrix::zeros(factor.nrows(), factor.ncols());
        let first = zeros.clone();
        Self {
            first,
            second: zeros,
        }
    }

    /// Adam's update from a gradient, at step `step`, which counts from 1.
    fn update(&mut self, gradient: &DMatrix<f64>, step: i32) -> DMatrix<f64> {
        let (beta1, beta2) = BETAS;
        let first = 1.0 - libm::pow(beta1, f64::from(step));
        let second = 1.0 - libm::pow(beta2, f64::from(step));
        let mut update = gradient.clone();
        for ((value, m), v) in update
            .iter_mut()
            .zip(self.first.iter_mut())
            .zip(self.second.iter_mut())
        {
            let slope = *value;
            *m = beta1 * *m + (1.0 - beta1) * slope;
            *v = beta2 * *v + (1.0 - beta2) * slope * slope;
            *value = (*m / first) / ((*v / second).sqrt() + EPS);
        }
        update
    }
}

/// Inputs [n, N], targets [m, N] and the A [r, n] and B [m, r] of which one is the start of every trial.
#[derive(Debug, Clone)]
pub struct Task {
    inputs: DMatrix<f64>,
    targets: DMatrix<f64>,
    lora_a: DMatrix<f64>,
    lora_b: DMatrix<f64>,
}

impl Task {
    /// Entries of x and of y are Θ(1); the wide toy's targets are U Vᵀ x with U [n, r] of variance
    /// 1 and V [n, r] of variance 1/n, so that adapters of rank r can fit them.
    pub fn new(toy: Toy, width: usize, rank: usize, seed: u32) -> Self {
        let mut random = Random::new(seed, 10);
        let small = 1.0 / (width as f64).sqrt();
        let inputs = random.matrix(width, SAMPLES);
        let targets = match toy {
            Toy::Scalar => random.matrix(1, SAMPLES),
            Toy::Wide => {
                let right = random.matrix(width, rank) * small;
                random.matrix(width, rank) * right.tr_mul(&inputs) / (rank as f64).sqrt()
            }
        };
        let lora_a = random.matrix(rank, width) * small;
        let lora_b = random.matrix(targets.nrows(), rank);
        Self {
            inputs,
            targets,
            lora_a,
            lora_b,
        }
    }

    /// Trains from the trial's start. The task must be of the trial's toy, width, rank and seed.
    pub fn train(&self, trial: &Trial) -> Outcome {
        let outputs = self.targets.nrows();
        let mut lora_a = self.lora_a.clone();
        let mut lora_b = self.lora_b.clone();
        match trial.zero {
            Zero::LoraA => lora_a.fill(0.0),
            Zero::LoraB => lora_b.fill(0.0),
        }
        let mut moments = (Moments::new(&lora_a), Moments::new(&lora_b));
        // Mean over inputs and outputs.
        let entries = (outputs * SAMPLES) as f64;
        let initial = self.targets.norm_squared() / entries;
        let (mut by_a, mut by_b) = (0.0, 0.0);
        let mut features = &lora_a * &self.inputs;
        let diverged = Outcome {
            loss: f64::INFINITY,
            features: f64::NAN,
            prediction: f64::NAN,
            change_by_a: f64::NAN,
            change_by_b: f64::NAN,
        };
        for step in 1..=trial.steps {
            let error = (&lora_b * &features - &self.targets) / entries;
            let slope = lora_b.tr_mul(&error);
            let gradient_a = &slope * self.inputs.transpose();
            let gradient_b = &error * features.transpose();
            let inverses = match trial.preconditioner {
                Preconditioner::None => None,
                _ => {
                    let for_a = damped_inverse(lora_b.tr_mul(&lora_b), DAMPING);
                    let for_b = damped_inverse(&lora_a * lora_a.transpose(), DAMPING);
                    match (for_a, for_b) {
                        (Some(for_a), Some(for_b)) => Some((for_a, for_b)),
                        _ => return diverged,
                    }
                }
            };
            let scale = |a: DMatrix<f64>, b: DMatrix<f64>| match &inverses {
                Some((for_a, for_b)) => (for_a * a, b * for_b),
                None => (a, b),
            };
            let (mut update_a, mut update_b) = (gradient_a, gradient_b);
            if trial.preconditioner == Preconditioner::Gradient {
                (update_a, update_b) = scale(update_a, update_b);
            }
            if trial.toy == Toy::Wide {
                update_a = moments.0.update(&update_a, step as i32);
                update_b = moments.1.update(&update_b, step as i32);
            }
            if trial.preconditioner == Preconditioner::Update {
                (update_a, update_b) = scale(update_a, update_b);
            }
            update_a *= trial.lr_a;
            update_b *= trial.lr_b;
            by_a += (&lora_b * (&update_a * &self.inputs)).norm();
            by_b += (&update_b * &features).norm();
            lora_a -= update_a;
            lora_b -= update_b;
            features = &lora_a * &self.inputs;
            let loss = (&lora_b * &features - &self.targets).norm_squared() / entries;
            if !loss.is_finite() || loss > DIVERGED * initial {
                return diverged;
            }
        }
        let prediction = &lora_b * &features;
        let mean = f64::from(trial.steps) * entries.sqrt();
        Outcome {
            loss: (&prediction - &self.targets).norm_squared() / entries / initial,
            features: features.norm() / (features.len() as f64).sqrt(),
            prediction: prediction.norm() / entries.sqrt(),
            change_by_a: by_a / mean,
            change_by_b: by_b / mean,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(preconditioner: Preconditioner, lr_a: f64, lr_b: f64) -> Trial {
        Trial {
            toy: Toy::Scalar,
            width: 64,
            rank: 4,
            steps: 1,
            seed: 1,
            zero: Zero::LoraB,
            preconditioner,
            lr_a,
            lr_b,
        }
    }

    #[test]
    fn with_b_at_zero_the_first_step_is_b_s_alone() {
        let task = Task::new(Toy::Scalar, 64, 4, 1);
        for preconditioner in [Preconditioner::None, Preconditioner::Gradient] {
            let outcome = task.train(&trial(preconditioner, 0.1, 0.1));
            assert_eq!(outcome.change_by_a, 0.0);
            assert!(outcome.change_by_b > 0.0 && outcome.loss < 1.0);
            let other = task.train(&trial(preconditioner, 5.0, 0.1));
            assert_eq!(outcome, other);
        }
    }

    /// Adam divides by the size of what it gets, and a common factor of the gradient with it.
    #[test]
    fn adam_takes_a_preconditioner_of_rank_one_out_again() {
        let task = Task::new(Toy::Wide, 64, 1, 1);
        let with = |preconditioner| {
            let toy = Toy::Wide;
            let steps = 2;
            task.train(&Trial {
                toy,
                steps,
                rank: 1,
                ..trial(preconditioner, 0.01, 0.01)
            })
        };
        let plain = with(Preconditioner::None);
        let scaled = with(Preconditioner::Gradient);
        // Exactly so at the first step of each factor; later Gram matrices change from step to step.
        assert!((plain.loss - scaled.loss).abs() < 0.05 * plain.loss);
        assert!((plain.loss - with(Preconditioner::Update).loss).abs() > 1e-3 * plain.loss);
    }

    #[test]
    fn too_large_a_rate_diverges_without_a_panic() {
        for toy in [Toy::Scalar, Toy::Wide] {
            let task = Task::new(toy, 64, 4, 1);
            for preconditioner in [
                Preconditioner::None,
                Preconditioner::Gradient,
                Preconditioner::Update,
            ] {
                let outcome = task.train(&Trial {
                    toy,
                    steps: 200,
                    ..trial(preconditioner, 1e9, 1e9)
                });
                assert!(outcome.loss > 1.0);
            }
        }
    }
}
