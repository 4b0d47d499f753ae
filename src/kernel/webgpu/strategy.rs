//! Which way of computing products is taken, by their shape.

use std::sync::atomic::{AtomicBool, Ordering};

use super::super::{ProductKind, ProductStrategy, product::Form};

/// Lines of a matrix below which it is narrow, as an adapter's factors are.
const NARROW: usize = 32;

/// Whether products of a kind are left to burn; by default none is.
static BURNS: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];

impl ProductKind {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Forward, Self::Backward, Self::Narrow];

    /// That of a product of [m, k] and [k, n], of which `smallest` is the least.
    pub(super) fn of(form: Form, smallest: usize) -> Self {
        match form {
            _ if smallest < NARROW => Self::Narrow,
            Form::RightTransposed => Self::Forward,
            Form::Plain | Form::LeftTransposed => Self::Backward,
        }
    }
}

/// How products of a kind are computed.
pub(super) fn strategy(kind: ProductKind) -> ProductStrategy {
    match BURNS[kind as usize].load(Ordering::Relaxed) {
        true => ProductStrategy::Burn,
        false => ProductStrategy::Tiles,
    }
}

/// From now on products of a kind are computed so.
pub(super) fn take(kind: ProductKind, strategy: ProductStrategy) {
    BURNS[kind as usize].store(strategy == ProductStrategy::Burn, Ordering::Relaxed);
}
