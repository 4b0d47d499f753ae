//! Adapters by module, as files hold them.

use burn::tensor::Tensor;

use super::fused::fuse;
use crate::model::{Architecture, Bank, Target};

/// The adapted modules of a block with their factors, A [r, in] and B [out, r].
pub fn factors(
    architecture: &Architecture,
    targets: &[Target],
    banks: &[Bank],
) -> Vec<(&'static str, Tensor<2>, Tensor<2>)> {
    let mut factors = Vec::new();
    let mut parts = Vec::new();
    for (&target, Bank { a, b }) in targets.iter().zip(banks) {
        let (a, b) = (a.clone().squeeze_dim::<2>(0), b.clone().squeeze_dim::<2>(0));
        match (target.part(architecture), target.module(architecture)) {
            (Some(part), Some(module)) => parts.push((module, (part, a, b))),
            (None, Some(module)) => factors.push((module, a, b)),
            (_, None) => {}
        }
    }
    if let Some(&(module, _)) = parts.first() {
        let parts: Vec<_> = parts.into_iter().map(|(_, part)| part).collect();
        let (a, b) = fuse(&parts);
        factors.push((module, a, b));
    }
    factors
}
