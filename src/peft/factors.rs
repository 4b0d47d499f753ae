//! Adapters by module, as files hold them.

use burn::tensor::Tensor;

use super::fused::{Part, fuse};
use crate::model::{Bank, ModelConfig, Target};

/// The adapted modules of a block with their factors, A [r, in] and B [out, r].
pub fn factors(
    config: &ModelConfig,
    targets: &[Target],
    banks: &[Bank],
) -> Vec<(&'static str, Tensor<2>, Tensor<2>)> {
    let architecture = config.architecture;
    let mut factors = Vec::new();
    let mut wholes: Vec<(Target, Vec<Part>)> = Vec::new();
    for (&target, Bank { a, b }) in targets.iter().zip(banks) {
        let (a, b) = (a.clone().squeeze_dim::<2>(0), b.clone().squeeze_dim::<2>(0));
        match (target.whole(architecture), target.rows(config)) {
            (Some(whole), Some(rows)) => {
                let part = Part { a, b, rows };
                match wholes.iter_mut().find(|(other, _)| *other == whole) {
                    Some((_, parts)) => parts.push(part),
                    None => wholes.push((whole, vec![part])),
                }
            }
            _ => factors.extend(target.module(architecture).map(|module| (module, a, b))),
        }
    }
    for (whole, parts) in wholes {
        if let (Some(module), Some((_, outputs))) =
            (whole.module(architecture), whole.shape(config))
        {
            let (a, b) = fuse(&parts, outputs);
            factors.push((module, a, b));
        }
    }
    factors
}
