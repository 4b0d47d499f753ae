//! A product of activations with a frozen matrix, block by block.

use super::{
    Direction, Matrix,
    strip::Rows,
    tile::{COLUMNS, Panel},
    transpose::transpose,
};

/// Most depth of a block: a panel of it, 9 kB, stays in the first cache while all rows pass. Half of SmolLM2's 576 channels,
/// so that no shallow block is left over.
const DEPTH: usize = 288;

/// Least columns that are unpacked at once where a panel's columns are a row's neighbours.
const GROUP: usize = 32;

/// `x · Wᵀ` or `x · W`. A row's result does not depend on which rows are beside it, to the bit.
///
/// # Shapes
/// - `x`: [N, in] forward, [N, out] backward
/// - result: [N, out] forward, [N, in] backward
///
/// # Panics
/// If `x` has no whole number of rows, or the matrix no elements.
pub fn product(x: &[f32], weight: &Matrix, direction: Direction) -> Vec<f32> {
    let (depth, width) = match direction {
        Direction::Forward => (weight.inputs(), weight.outputs()),
        Direction::Backward => (weight.outputs(), weight.inputs()),
    };
    assert!(
        x.len().is_multiple_of(depth),
        "a row of {depth} values is cut"
    );
    let rows = x.len() / depth;
    let mut activations = Activations {
        x,
        depth,
        result: vec![0.0; rows * width],
        width,
    };
    match direction {
        Direction::Forward => forward(weight, &mut activations),
        Direction::Backward => backward(weight, &mut activations),
    }
    activations.result
}

/// Panels of a few rows of the weight, transposed.
fn forward(weight: &Matrix, activations: &mut Activations<'_>) {
    // No block of the weight's may be cut.
    let most = (DEPTH / weight.block() * weight.block()).min(weight.inputs());
    let mut unpacked = vec![0.0; COLUMNS * most];
    let mut panel = unpacked.clone();
    for start in (0..weight.inputs()).step_by(most) {
        let depth = most.min(weight.inputs() - start);
        let panel = &mut panel[..depth * COLUMNS];
        let unpacked = &mut unpacked[..depth * COLUMNS];
        for column in (0..weight.outputs()).step_by(COLUMNS) {
            let wide = COLUMNS.min(weight.outputs() - column);
            // Missing rows of the last panel keep values of the one before; their sums are not added.
            weight.read_rows(column, start, depth, &mut unpacked[..wide * depth]);
            transpose(unpacked, panel);
            activations.pass(start, Panel::new(panel, depth, COLUMNS), column, wide);
        }
    }
}

/// Panels of a few columns of the weight, in their own order.
fn backward(weight: &Matrix, activations: &mut Activations<'_>) {
    let group = weight.block().max(GROUP).min(weight.inputs());
    // What the last panel reads beyond a row's end is the next row, or this; its sums are not added.
    let mut unpacked = vec![0.0; DEPTH.min(weight.outputs()) * group + COLUMNS];
    for start in (0..weight.outputs()).step_by(DEPTH) {
        let depth = DEPTH.min(weight.outputs() - start);
        for first in (0..weight.inputs()).step_by(group) {
            let columns = group.min(weight.inputs() - first);
            weight.read_rows(start, first, columns, &mut unpacked[..depth * columns]);
            for column in (0..columns).step_by(COLUMNS) {
                let wide = COLUMNS.min(columns - column);
                let panel = Panel::new(&unpacked[column..], depth, columns);
                activations.pass(start, panel, first + column, wide);
            }
        }
    }
}

/// All rows of the activations, about to meet panels of the weight.
struct Activations<'a> {
    /// [N, depth].
    x: &'a [f32],
    depth: usize,
    /// [N, width].
    result: Vec<f32>,
    width: usize,
}

impl Activations<'_> {
    /// Adds the product with one panel, which begins at depth `start`, to the columns `column .. column + wide`.
    fn pass(&mut self, start: usize, panel: Panel<'_>, column: usize, wide: usize) {
        let (depth, width) = (self.depth, self.width);
        let rows = self.result.len() / width;
        if rows > 0 {
            let x = Rows::new(&self.x[start..], depth, rows);
            x.multiply_add(panel, &mut self.result[column..], width, wide);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packed::StorageType;

    /// Small integers, of which sums are exact in f32 in any order.
    fn integers(count: usize, seed: usize) -> Vec<f32> {
        (0..count)
            .map(|i| ((i * 7919 + seed * 104_729) % 17) as f32 - 8.0)
            .collect()
    }

    /// The definition, in f64.
    fn by_definition(x: &[f32], weight: &Matrix, direction: Direction) -> Vec<f32> {
        let (outputs, inputs) = (weight.outputs(), weight.inputs());
        let mut values = vec![0.0; outputs * inputs];
        for (row, values) in values.chunks_exact_mut(inputs).enumerate() {
            weight.read(row, 0, values);
        }
        let (depth, width) = match direction {
            Direction::Forward => (inputs, outputs),
            Direction::Backward => (outputs, inputs),
        };
        let at = |k: usize, j: usize| match direction {
            Direction::Forward => values[j * inputs + k],
            Direction::Backward => values[k * inputs + j],
        };
        (0..x.len() / depth * width)
            .map(|index| {
                let (i, j) = (index / width, index % width);
                (0..depth)
                    .map(|k| f64::from(x[i * depth + k]) * f64::from(at(k, j)))
                    .sum::<f64>() as f32
            })
            .collect()
    }

    fn check(weight: &Matrix, rows: usize) {
        for direction in [Direction::Forward, Direction::Backward] {
            let depth = match direction {
                Direction::Forward => weight.inputs(),
                Direction::Backward => weight.outputs(),
            };
            let x = integers(rows * depth, 3);
            assert_eq!(
                product(&x, weight, direction),
                by_definition(&x, weight, direction),
                "{rows} rows, {weight:?}, {direction:?}"
            );
        }
    }

    #[test]
    fn every_remainder_of_rows_columns_and_depth_is_as_defined() {
        for rows in [0, 1, 2, 3, 4, 5, 11, 12] {
            for shape in [[1, 1], [8, 256], [9, 257], [7, 512], [300, 13], [24, 515]] {
                let values = integers(shape[0] * shape[1], rows);
                let bytes = bytemuck::cast_slice(&values).to_vec();
                let weight = Matrix::new(StorageType::F32, shape, bytes).unwrap();
                check(&weight, rows);
            }
        }
    }

    #[test]
    fn packed_types_are_unpacked_on_the_way() {
        // A scale of 1, and numbers as they come: all of them small integers.
        for (storage, shape) in [
            (StorageType::Q8_0, [19, 320]),
            (StorageType::Q4_0, [300, 96]),
        ] {
            let blocks = shape[0] * shape[1] / 32;
            let bytes = (0..blocks)
                .flat_map(|block| {
                    let numbers =
                        (2..storage.block_bytes()).map(move |i| (block + i * 5) as u8 % 64);
                    half::f16::ONE.to_le_bytes().into_iter().chain(numbers)
                })
                .collect();
            check(&Matrix::new(storage, shape, bytes).unwrap(), 6);
        }
    }
}
