//! The Riemannian preconditioner (Zhang and Pilanci, arXiv 2402.02347, equation 1 and algorithm 1).
//!
//! G_A ← (BᵀB + δI)⁻¹ G_A and G_B ← G_B (AAᵀ + δI)⁻¹. The Gram matrices of all layers and runs are
//! inverted in one batch. A run whose gradients or updates are left alone takes the identity in place of its inverses and
//! goes through the same products, which leave them as they are to the bit.

use burn::tensor::{Bool, Tensor};

use super::{
    BankLayout, Both, Factor,
    inverse::inverse,
    square::{identity, trace},
};

/// Which runs are preconditioned and where, and how much each is damped.
#[derive(Debug, Clone)]
pub struct Damping {
    /// δ of each run, [K, 1, 1].
    pub damping: Tensor<3>,
    /// Whether the run's gradient is left as it is, [K, 1, 1].
    pub plain_gradient: Tensor<3, Bool>,
    /// Whether the run's update is left as it is, [K, 1, 1].
    pub plain_update: Tensor<3, Bool>,
    /// Whether the run has no preconditioner at all, [K, 1, 1].
    pub euclidean: Tensor<3, Bool>,
    /// Whether δ is a share of the mean eigenvalue, [K, 1, 1]; `None` where it nowhere is.
    pub relative: Option<Tensor<3, Bool>>,
    /// Whether δ is a share of the mean eigenvalue of AAᵀ before the first step, [K, 1, 1]; `None` where it nowhere is.
    pub initial: Option<Tensor<3, Bool>>,
    /// Factor on the inverses of each run, [K, 1, 1]; `None` where it is 1.
    pub gain: Option<Tensor<3>>,
    /// The share that is taken off of what the steps of both factors do to ΔW, [K, 1, 1]: a half where the run's
    /// preconditioner is `tangent`; `None` where it is 0.
    pub common: Option<Tensor<3>>,
}

impl Damping {
    /// δ of a plain run, where only its condition numbers depend on it: the paper's.
    pub const OF_PLAIN_RUNS: f64 = 1e-6;
    /// Added to a relative δ, because the Gram matrix of B starts at 0. Its root and its inverse are
    /// far from the ends of f32.
    const FLOOR: f64 = 1e-12;
}

/// Gram matrices of all banks.
#[derive(Debug, Clone)]
pub struct Grams {
    /// [K, M, r, r].
    pub matrices: Tensor<4>,
    /// G + δI of each.
    pub damped: Tensor<4>,
}

impl Grams {
    /// BᵀB of every bank, then AAᵀ of every bank: M is twice the number of banks. `initial` are the mean eigenvalues of
    /// every bank's AAᵀ before the first step, [K, 1, banks].
    pub fn of_both(
        layout: &BankLayout,
        factors: &Both<Tensor<3>>,
        damping: &Damping,
        initial: &Tensor<3>,
    ) -> Self {
        let of_b = layout.groups(Factor::B, &factors.b).into_iter();
        let of_a = layout.groups(Factor::A, &factors.a).into_iter();
        let matrices = of_b.map(gram_of_b).chain(of_a.map(gram_of_a)).collect();
        Self::new(Tensor::cat(matrices, 1), damping, || {
            Tensor::cat(vec![initial.clone(), initial.clone()], 2)
        })
    }

    /// AAᵀ of every bank; `initial` as for [`Self::of_both`].
    pub fn of_a(
        layout: &BankLayout,
        a: &Tensor<3>,
        damping: &Damping,
        initial: &Tensor<3>,
    ) -> Self {
        Self::new(grams_of_a(layout, a), damping, || initial.clone())
    }

    /// `matrices` are [K, M, r, r], and `initial` gives [K, 1, M].
    fn new(matrices: Tensor<4>, damping: &Damping, initial: impl Fn() -> Tensor<3>) -> Self {
        let [runs, banks, rank, _] = matrices.dims();
        let identity = identity(rank, &matrices.device()).unsqueeze::<4>(); // [1, 1, r, r]
        let of_run = |values: &Tensor<3>| values.clone().unsqueeze_dim::<4>(1); // [K, 1, 1, 1]
        let mut delta = of_run(&damping.damping);
        let mut share = |of: &Option<Tensor<3, Bool>>, mean: &dyn Fn() -> Tensor<3>| {
            let Some(runs_of_it) = of else { return };
            let share = of_run(&damping.damping) * mean().reshape([runs, banks, 1, 1]);
            let shape = share.dims();
            let mask = runs_of_it.clone().unsqueeze_dim::<4>(1).expand(shape);
            let share = share.add_scalar(Damping::FLOOR);
            delta = delta.clone().expand(shape).mask_where(mask, share);
        };
        share(&damping.relative, &|| mean_eigenvalues(&matrices));
        share(&damping.initial, &initial);
        Self {
            damped: matrices.clone() + delta * identity,
            matrices,
        }
    }

    /// (G + δI)⁻¹ of each.
    ///
    /// # Shapes
    /// - result: [K, M, r, r]
    pub fn inverses(&self) -> Tensor<4> {
        let [runs, banks, rank, _] = self.damped.dims();
        let all = self.damped.clone().reshape([runs * banks, rank, rank]);
        inverse(all).reshape([runs, banks, rank, rank])
    }
}

/// AAᵀ of every bank of a row, [K, M, r, r].
fn grams_of_a(layout: &BankLayout, a: &Tensor<3>) -> Tensor<4> {
    let of_a = layout.groups(Factor::A, a).into_iter();
    Tensor::cat(of_a.map(gram_of_a).collect(), 1)
}

/// The mean eigenvalue of every bank's AAᵀ, [K, 1, M].
pub fn mean_eigenvalues_of_a(layout: &BankLayout, a: &Tensor<3>) -> Tensor<3> {
    mean_eigenvalues(&grams_of_a(layout, a))
}

/// The mean eigenvalue of every matrix, [K, 1, M] of [K, M, r, r].
fn mean_eigenvalues(matrices: &Tensor<4>) -> Tensor<3> {
    let [runs, banks, rank, _] = matrices.dims();
    let all = matrices.clone().reshape([runs * banks, rank, rank]);
    let means = trace(&all).div_scalar(rank as f64);
    means.reshape([runs, 1, banks])
}

/// (BᵀB + δI)⁻¹ of every bank, which preconditions A, and (AAᵀ + δI)⁻¹, which preconditions B; [K, M, r, r] each.
pub type Inverses = Both<Tensor<4>>;

/// The metric of all banks at one step, as gradients, updates or Muon see it.
#[derive(Debug, Clone, Copy)]
pub struct Metric<'a> {
    /// Where the banks lie.
    pub layout: &'a BankLayout,
    /// Inverses of the damped Gram matrices.
    pub inverses: &'a Inverses,
    /// Gain, and the share of the common part.
    pub damping: &'a Damping,
    /// Runs that it leaves alone, [K, 1, 1].
    pub plain: &'a Tensor<3, Bool>,
}

impl Metric<'_> {
    /// What `factor` is multiplied with: the inverses, times the gain of a run that has one, and the
    /// identity for plain runs.
    ///
    /// # Shapes
    /// - result: [K, M, r, r]
    pub fn of(&self, factor: Factor) -> Tensor<4> {
        let inverses = self.inverses.of(factor).clone();
        let shape = inverses.dims();
        let scaled = match &self.damping.gain {
            None => inverses,
            Some(gain) => inverses * gain.clone().unsqueeze_dim::<4>(1),
        };
        let plain = self.plain.clone().unsqueeze_dim::<4>(1).expand(shape);
        let identity = identity(shape[2], &scaled.device()).unsqueeze::<4>();
        scaled.mask_where(plain, identity.expand(shape))
    }

    /// (BᵀB + δI)⁻¹ · X of a direction X for A, X · (AAᵀ + δI)⁻¹ of one for B, of all banks. Runs that are `tangent`
    /// lose half of what the steps of both factors do to ΔW: B (BᵀB)⁻¹G_A and G_B (AAᵀ)⁻¹A, for a gradient G of ΔW,
    /// are s·P_B G and s·G P_A with the projections P_B and P_A on the columns of B and the rows of A, which both hold
    /// P_B G P_A. Without half of it in each, the sum is G's projection on the tangent space of matrices of rank r,
    /// P_B G + G P_A - P_B G P_A (Vandereycken 2013, equation 2.5).
    ///
    /// # Shapes
    /// - `direction`: [K, 1, P], result the same
    /// - `row`: the factor, [K, 1, P]
    pub fn apply(&self, factor: Factor, direction: &Tensor<3>, row: &Tensor<3>) -> Tensor<3> {
        let metric = self.layout.split(factor, &self.of(factor));
        let directions = self.layout.groups(factor, direction);
        let products = metric.into_iter().zip(directions);
        let products = products.map(|(metric, direction)| match factor {
            Factor::A => metric.matmul(direction),
            Factor::B => direction.matmul(metric),
        });
        let Some(common) = &self.damping.common else {
            return BankLayout::row(products.collect());
        };
        let untouched = self.plain.clone().unsqueeze_dim::<4>(1);
        let common = common.clone().unsqueeze_dim::<4>(1); // [K, 1, 1, 1]
        let common = common.mask_fill(untouched, 0.0);
        // The Gram matrix of A is what B is preconditioned by, and the other way round.
        let own = match factor {
            Factor::A => &self.inverses.b,
            Factor::B => &self.inverses.a,
        };
        let own = self.layout.split(factor, own).into_iter();
        let factors = self.layout.groups(factor, row).into_iter();
        let without = products.zip(own.zip(factors));
        let without = without.map(|(product, (inverse, row))| {
            let both = match factor {
                // (X Aᵀ) (AAᵀ + δI)⁻¹ A
                Factor::A => product
                    .clone()
                    .matmul(row.clone().swap_dims(2, 3))
                    .matmul(inverse)
                    .matmul(row),
                // B (BᵀB + δI)⁻¹ (Bᵀ X)
                Factor::B => {
                    let shares = row.clone().swap_dims(2, 3).matmul(product.clone());
                    row.matmul(inverse.matmul(shares))
                }
            };
            product - both * common.clone()
        });
        BankLayout::row(without.collect())
    }
}

/// BᵀB of each, which preconditions the gradient of A.
///
/// # Shapes
/// - `b`: [K, M, out, r]
/// - result: [K, M, r, r]
pub fn gram_of_b(b: Tensor<4>) -> Tensor<4> {
    b.clone().swap_dims(2, 3).matmul(b)
}

/// AAᵀ of each, which preconditions the gradient of B.
///
/// # Shapes
/// - `a`: [K, M, r, in]
/// - result: [K, M, r, r]
pub fn gram_of_a(a: Tensor<4>) -> Tensor<4> {
    a.clone().matmul(a.swap_dims(2, 3))
}
