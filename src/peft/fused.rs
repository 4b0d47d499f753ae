//! Adapters on parts of a layer as one adapter on the whole.
//!
//! With p parts, each with factors A [r, C] and B [C, r], the whole's change of weight has the
//! blocks of rows `alpha / r · Bᵢ · Aᵢ`. That is the product of the Aᵢ under each other, [p·r, C],
//! and a B of [3C, p·r] that holds Bᵢ where the rows of part i meet its r columns, and 0 elsewhere.
//! Its scale must stay alpha / r, so its alpha is p·alpha.

use burn::tensor::Tensor;

/// Parts of GPT-2's fused layer.
const PARTS: usize = 3;

/// The factors of the whole: A [p·r, C] and B [3C, p·r].
///
/// `parts` are pairs of a part's index and its factors, A [r, C] and B [C, r].
pub fn fuse(parts: &[(usize, Tensor<2>, Tensor<2>)]) -> (Tensor<2>, Tensor<2>) {
    let a = parts.iter().map(|(_, a, _)| a.clone()).collect();
    let columns = parts.iter().map(|(part, _, b)| {
        let zeros = b.zeros_like();
        let rows = (0..PARTS).map(|row| if row == *part { b } else { &zeros });
        Tensor::cat(rows.cloned().collect(), 0) // [3C, r]
    });
    (Tensor::cat(a, 0), Tensor::cat(columns.collect(), 1))
}
