//! Adapters on parts of a layer as one adapter on the whole.
//!
//! With p parts, each with factors A [r, C] and B [rows of the part, r], the whole's change of weight has the blocks of rows
//! `alpha / r · Bᵢ · Aᵢ`. That is the product of the Aᵢ under each other, [p·r, C], and a B of [all rows, p·r] that holds Bᵢ
//! where the rows of part i meet its r columns, and 0 elsewhere. Its scale must stay alpha / r, so its alpha is p·alpha.

use burn::tensor::{Int, Tensor, TensorData};

/// One part's factors, and where its rows are in the whole.
pub struct Part {
    /// [r, C].
    pub a: Tensor<2>,
    /// [rows of the part, r].
    pub b: Tensor<2>,
    /// For each row of the part its row of the whole.
    pub rows: Vec<usize>,
}

/// The factors of the whole with `outputs` rows: A [p·r, C] and B [outputs, p·r].
pub fn fuse(parts: &[Part], outputs: usize) -> (Tensor<2>, Tensor<2>) {
    let a = parts.iter().map(|part| part.a.clone()).collect();
    let columns = parts.iter().map(|part| {
        let [rows, rank] = part.b.dims();
        // Those of other parts take the row of zeros that follows the part's own.
        let mut taken = vec![rows as i32; outputs];
        for (row, &place) in part.rows.iter().enumerate() {
            taken[place] = row as i32;
        }
        let device = part.b.device();
        let taken = Tensor::<1, Int>::from_data(TensorData::new(taken, [outputs]), &device);
        let zeros = Tensor::zeros([1, rank], &device);
        Tensor::cat(vec![part.b.clone(), zeros], 0).select(0, taken) // [outputs, r]
    });
    (Tensor::cat(a, 0), Tensor::cat(columns.collect(), 1))
}
