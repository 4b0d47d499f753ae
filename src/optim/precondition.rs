//! The Riemannian preconditioner (Zhang and Pilanci, arXiv 2402.02347, equation 1 and algorithm 1).
//!
//! G_A ← (BᵀB + δI)⁻¹ G_A and G_B ← G_B (AAᵀ + δI)⁻¹. The Gram matrices of all layers and runs are
//! inverted in one batch. A plain run takes the identity in place of its inverses and goes through
//! the same products, which leave its gradients as they are to the bit.

use burn::tensor::{Bool, Tensor};

use super::{
    inverse::inverse,
    square::{identity, trace},
};
use crate::model::{Adapters, Bank};

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

/// Gram matrices of many banks, stacked.
#[derive(Debug, Clone)]
pub struct Grams {
    /// [M·K, r, r], the K runs of a bank side by side.
    pub matrices: Tensor<3>,
    /// G + δI of each.
    pub damped: Tensor<3>,
}

impl Grams {
    /// BᵀB of every bank, then AAᵀ of every bank: M is twice the number of banks. `None` where there
    /// are no banks.
    pub fn of_both(adapters: &Adapters, damping: &Damping) -> Option<Self> {
        let of_b = adapters.banks().map(gram_of_b);
        let of_a = adapters.banks().map(gram_of_a);
        Self::new(of_b.chain(of_a).collect(), damping)
    }

    /// AAᵀ of every bank. `None` where there are no banks.
    pub fn of_a(adapters: &Adapters, damping: &Damping) -> Option<Self> {
        Self::new(adapters.banks().map(gram_of_a).collect(), damping)
    }

    fn new(grams: Vec<Tensor<3>>, damping: &Damping) -> Option<Self> {
        let count = grams.len();
        let rank = grams.first()?.dims()[1];
        let matrices = Tensor::cat(grams, 0); // [M·K, r, r]
        let identity = identity(rank, &matrices.device()); // [1, r, r]
        let mut delta = damping.damping.clone().repeat_dim(0, count); // [M·K, 1, 1]
        if let Some(relative) = &damping.relative {
            let trace = trace(&matrices);
            let share = delta.clone() * trace.div_scalar(rank as f64);
            let relative = relative.clone().repeat_dim(0, count);
            delta = delta.mask_where(relative, share.add_scalar(Damping::FLOOR));
        }
        Some(Self {
            damped: matrices.clone() + delta * identity,
            matrices,
        })
    }

    /// (G + δI)⁻¹ of each.
    ///
    /// # Shapes
    /// - result: [M·K, r, r]
    pub fn inverses(&self) -> Tensor<3> {
        inverse(self.damped.clone())
    }
}

/// What gradients are multiplied with: the inverses, times the gain of a run that has one, and the
/// identity for plain runs.
///
/// # Shapes
/// - `inverses`: [M·K, r, r]
/// - result: M tensors [K, r, r]
pub fn preconditioners(inverses: Tensor<3>, damping: &Damping) -> Vec<Tensor<3>> {
    let [count, rank, _] = inverses.dims();
    let runs = damping.damping.dims()[0];
    let banks = count / runs;
    let scaled = match &damping.gain {
        None => inverses,
        Some(gain) => inverses * gain.clone().repeat_dim(0, banks),
    };
    let shape = [count, rank, rank];
    let plain = damping.plain.clone().repeat_dim(0, banks).expand(shape);
    let identities = identity(rank, &scaled.device()).expand(shape);
    scaled.mask_where(plain, identities).split(runs, 0)
}

/// BᵀB of every run, which preconditions the gradient of A.
///
/// # Shapes
/// - result: [K, r, r]
pub fn gram_of_b(bank: &Bank) -> Tensor<3> {
    bank.b.clone().swap_dims(1, 2).matmul(bank.b.clone())
}

/// AAᵀ of every run, which preconditions the gradient of B.
///
/// # Shapes
/// - result: [K, r, r]
pub fn gram_of_a(bank: &Bank) -> Tensor<3> {
    bank.a.clone().matmul(bank.a.clone().swap_dims(1, 2))
}

/// (BᵀB + δI)⁻¹ · G_A.
///
/// # Shapes
/// - `gradient`: [K, r, in], result the same
/// - `inverse`: [K, r, r]
pub fn precondition_a(gradient: Tensor<3>, inverse: Tensor<3>) -> Tensor<3> {
    inverse.matmul(gradient)
}

/// G_B · (AAᵀ + δI)⁻¹.
///
/// # Shapes
/// - `gradient`: [K, out, r], result the same
/// - `inverse`: [K, r, r]
pub fn precondition_b(gradient: Tensor<3>, inverse: Tensor<3>) -> Tensor<3> {
    gradient.matmul(inverse)
}
