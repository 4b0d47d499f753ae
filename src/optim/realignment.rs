//! Momentum that is carried from one basis into the next (AltLoRA, arXiv 2505.12455; class `altlora` of
//! github.com/LucasXinYu/AltLoRA, optimizer_new.py).
//!
//! A preconditioned gradient of A is the least-squares answer, in the basis of B's columns, to the gradient of ΔW. Once B has
//! moved, a moment that was gathered before is measured in a basis that is gone: the vector that it stands for, B_old m, is
//! projected on the columns of the new B, m <- (BᵀB + δI)⁻¹ Bᵀ B_old m. Likewise m <- m A_old Aᵀ (AAᵀ + δI)⁻¹ for B.

use burn::tensor::{Bool, Tensor};

use super::{BankLayout, Factor};

/// What the moment of one factor is measured in.
#[derive(Debug)]
pub struct Basis<'a> {
    /// (BᵀB + δI)⁻¹ for A, (AAᵀ + δI)⁻¹ for B; [K, M, r, r].
    pub inverses: &'a Tensor<4>,
    /// The other factor now, [K, 1, P].
    pub now: &'a Tensor<3>,
    /// The other factor when the moment was last added to, [K, 1, P].
    pub before: &'a Tensor<3>,
}

impl Basis<'_> {
    /// `moment` of `factor` in the basis of now, where `realigned` says so.
    ///
    /// # Shapes
    /// - `moment`: [K, 1, P], result the same
    /// - `realigned`: [K, 1, 1]
    pub fn carry(
        &self,
        layout: &BankLayout,
        factor: Factor,
        moment: &Tensor<3>,
        realigned: &Tensor<3, Bool>,
    ) -> Tensor<3> {
        let other = match factor {
            Factor::A => Factor::B,
            Factor::B => Factor::A,
        };
        // Of banks in one order, but in groups that each factor has its own of.
        let products = layout.groups(other, self.now).into_iter();
        let products = products.zip(layout.groups(other, self.before));
        let products = products.map(|(now, before)| match factor {
            Factor::A => now.swap_dims(2, 3).matmul(before),
            Factor::B => before.matmul(now.swap_dims(2, 3)),
        });
        let products = Tensor::cat(products.collect(), 1); // [K, M, r, r]
        let turn = match factor {
            Factor::A => self.inverses.clone().matmul(products),
            Factor::B => products.matmul(self.inverses.clone()),
        };
        let turns = layout.split(factor, &turn).into_iter();
        let carried = turns.zip(layout.groups(factor, moment));
        let carried = carried.map(|(turn, moment)| match factor {
            Factor::A => turn.matmul(moment),
            Factor::B => moment.matmul(turn),
        });
        let carried = BankLayout::row(carried.collect());
        let realigned = realigned.clone().expand(carried.dims());
        moment.clone().mask_where(realigned, carried)
    }
}
