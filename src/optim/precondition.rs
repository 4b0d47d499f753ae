//! The Riemannian preconditioner (Zhang and Pilanci, arXiv 2402.02347, equation 1 and algorithm 1).
//!
//! G_A ← (BᵀB + δI)⁻¹ G_A and G_B ← G_B (AAᵀ + δI)⁻¹. The Gram matrices of all layers and runs are
//! inverted in one batch. A plain run takes the identity in place of its inverses and goes through
//! the same products, which leave its gradients as they are to the bit.

use burn::tensor::{Bool, Tensor};

use super::{
    BankLayout, Both, Factor,
    inverse::inverse,
    square::{identity, trace},
};

/// Which runs are preconditioned, and how much each is damped.
#[derive(Debug, Clone)]
pub struct Damping {
    /// δ of each run, [K, 1, 1].
    pub damping: Tensor<3>,
    /// Whether the run is plain, [K, 1, 1].
    pub plain: Tensor<3, Bool>,
    /// Whether δ is a share of the mean eigenvalue, [K, 1, 1]; `None` where it nowhere is.
    pub relative: Option<Tensor<3, Bool>>,
    /// Factor on the inverses of each run, [K, 1, 1]; `None` where it is 1.
    pub gain: Option<Tensor<3>>,
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
    /// BᵀB of every bank, then AAᵀ of every bank: M is twice the number of banks.
    pub fn of_both(layout: &BankLayout, factors: &Both<Tensor<3>>, damping: &Damping) -> Self {
        let of_b = layout.groups(Factor::B, &factors.b).into_iter();
        let of_a = layout.groups(Factor::A, &factors.a).into_iter();
        Self::new(of_b.map(gram_of_b).chain(of_a.map(gram_of_a)), damping)
    }

    /// AAᵀ of every bank.
    pub fn of_a(layout: &BankLayout, a: &Tensor<3>, damping: &Damping) -> Self {
        let of_a = layout.groups(Factor::A, a).into_iter();
        Self::new(of_a.map(gram_of_a), damping)
    }

    fn new(groups: impl Iterator<Item = Tensor<4>>, damping: &Damping) -> Self {
        let matrices = Tensor::cat(groups.collect(), 1); // [K, M, r, r]
        let [runs, banks, rank, _] = matrices.dims();
        let identity = identity(rank, &matrices.device()).unsqueeze::<4>(); // [1, 1, r, r]
        let of_run = |values: &Tensor<3>| values.clone().unsqueeze_dim::<4>(1); // [K, 1, 1, 1]
        let mut delta = of_run(&damping.damping);
        if let Some(relative) = &damping.relative {
            let all = matrices.clone().reshape([runs * banks, rank, rank]);
            let mean = trace(&all).div_scalar(rank as f64);
            let share = delta.clone() * mean.reshape([runs, banks, 1, 1]);
            let shape = share.dims();
            let relative = relative.clone().unsqueeze_dim::<4>(1).expand(shape);
            let share = share.add_scalar(Damping::FLOOR);
            delta = delta.expand(shape).mask_where(relative, share);
        }
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

/// What gradients are multiplied with: the inverses, times the gain of a run that has one, and the
/// identity for plain runs.
///
/// # Shapes
/// - `inverses`: [K, M, r, r], result the same
pub fn preconditioners(inverses: Tensor<4>, damping: &Damping) -> Tensor<4> {
    let shape = inverses.dims();
    let scaled = match &damping.gain {
        None => inverses,
        Some(gain) => inverses * gain.clone().unsqueeze_dim::<4>(1),
    };
    let plain = damping.plain.clone().unsqueeze_dim::<4>(1).expand(shape);
    let identity = identity(shape[2], &scaled.device()).unsqueeze::<4>();
    scaled.mask_where(plain, identity.expand(shape))
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

/// (BᵀB + δI)⁻¹ · G_A of all banks.
///
/// # Shapes
/// - `gradient`: [K, 1, P], result the same
/// - `of_b`: [K, M, r, r]
pub fn precondition_a(layout: &BankLayout, gradient: &Tensor<3>, of_b: &Tensor<4>) -> Tensor<3> {
    let gradients = layout.groups(Factor::A, gradient);
    let inverses = layout.split(Factor::A, of_b);
    let products = inverses.into_iter().zip(gradients);
    BankLayout::row(
        products
            .map(|(inverse, gradient)| inverse.matmul(gradient))
            .collect(),
    )
}

/// G_B · (AAᵀ + δI)⁻¹ of all banks.
///
/// # Shapes
/// - `gradient`: [K, 1, P], result the same
/// - `of_a`: [K, M, r, r]
pub fn precondition_b(layout: &BankLayout, gradient: &Tensor<3>, of_a: &Tensor<4>) -> Tensor<3> {
    let gradients = layout.groups(Factor::B, gradient);
    let inverses = layout.split(Factor::B, of_a);
    let products = gradients.into_iter().zip(inverses);
    BankLayout::row(
        products
            .map(|(gradient, inverse)| gradient.matmul(inverse))
            .collect(),
    )
}
