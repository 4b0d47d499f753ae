//! Which way a frozen weight is read.

use super::Form;

/// Which way a weight [out, in] is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `x · Wᵀ`: [N, in] to [N, out].
    Forward,
    /// `g · W`: [N, out] to [N, in].
    Backward,
}

impl Direction {
    /// The direction of the gradient with respect to the activations.
    pub fn reverse(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }

    /// The form of the product of activations and a weight.
    pub(crate) fn form(self) -> Form {
        match self {
            Self::Forward => Form::RightTransposed,
            Self::Backward => Form::Plain,
        }
    }
}
