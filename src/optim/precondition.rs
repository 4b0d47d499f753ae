//! The Riemannian preconditioner (Zhang and Pilanci, arXiv 2402.02347, equation 1 and algorithm 1).
//!
//! G_A ← (BᵀB + δI)⁻¹ G_A and G_B ← G_B (AAᵀ + δI)⁻¹. The Gram matrices of all layers and runs are
//! inverted in one batch. A plain run takes the identity in place of its Gram matrices and goes
//! through the same products, which leave its gradients as they are to the bit.

use burn::tensor::{Bool, Tensor};

use super::inverse::{identity, inverse};
use crate::model::Bank;

/// Which runs are preconditioned, and how much each is damped.
#[derive(Debug, Clone)]
pub struct Damping {
    /// δ of each run, [K, 1, 1]; any finite value where the run is plain.
    pub damping: Tensor<3>,
    /// Whether the run is plain, [K, 1, 1].
    pub plain: Tensor<3, Bool>,
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

/// (G + δI)⁻¹ of every Gram matrix, the identity for plain runs; in one batch.
///
/// # Shapes
/// - each of `grams`: [K, r, r], and so each result
pub fn damped_inverses(grams: Vec<Tensor<3>>, damping: &Damping) -> Vec<Tensor<3>> {
    let count = grams.len();
    let Some([runs, rank, _]) = grams.first().map(Tensor::dims) else {
        return Vec::new();
    };
    let identity = identity(rank, &damping.damping.device()); // [1, r, r]
    let damped = Tensor::cat(grams, 0) // [M·K, r, r]
        + (damping.damping.clone() * identity.clone()).repeat_dim(0, count);
    let plain = damping
        .plain
        .clone()
        .repeat_dim(0, count)
        .expand([count * runs, rank, rank]);
    let identities = identity.expand([count * runs, rank, rank]);
    inverse(damped.mask_where(plain, identities)).split(runs, 0)
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
