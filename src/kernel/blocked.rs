//! A product of activations with a frozen weight, block by block.

use super::{
    Direction, narrow,
    tile::{COLUMNS, ROWS, multiply},
};

/// Depth of a block: a panel of it, 8 kB, stays in the first cache while all rows pass.
const DEPTH: usize = 256;

/// A weight [out, in], row by row.
#[derive(Debug, Clone, Copy)]
pub struct Weight<'a> {
    /// [out, in].
    pub values: &'a [f32],
    /// Rows, out.
    pub outputs: usize,
    /// Columns, in.
    pub inputs: usize,
}

/// `x · Wᵀ` or `x · W`.
///
/// # Shapes
/// - `x`: [N, in] forward, [N, out] backward
/// - result: [N, out] forward, [N, in] backward
///
/// # Panics
/// If a slice is not of the size that its shape says.
pub fn product(x: &[f32], rows: usize, weight: Weight<'_>, direction: Direction) -> Vec<f32> {
    let Weight {
        values,
        outputs,
        inputs,
    } = weight;
    let (depth, width) = match direction {
        Direction::Forward => (inputs, outputs),
        Direction::Backward => (outputs, inputs),
    };
    assert_eq!(values.len(), outputs * inputs);
    assert_eq!(x.len(), rows * depth);
    if rows < ROWS && direction == Direction::Forward {
        return narrow::product(x, rows, weight);
    }
    let mut result = vec![0.0; rows * width];
    let mut panel = vec![0.0; DEPTH.min(depth) * COLUMNS];
    for start in (0..depth).step_by(DEPTH) {
        let deep = DEPTH.min(depth - start);
        let panel = &mut panel[..deep * COLUMNS];
        for column in (0..width).step_by(COLUMNS) {
            let wide = COLUMNS.min(width - column);
            match direction {
                Direction::Forward => pack_transposed(weight, start, column, wide, panel),
                Direction::Backward => pack(weight, start, column, wide, panel),
            }
            sweep(&x[start..], depth, panel, &mut result, width, column, wide);
        }
    }
    result
}

/// All rows of `x` against one panel, added to the columns `column .. column + wide` of `result`.
fn sweep(
    x: &[f32],
    stride: usize,
    panel: &[f32],
    result: &mut [f32],
    width: usize,
    column: usize,
    wide: usize,
) {
    for (block, rows) in result.chunks_mut(ROWS * width).enumerate() {
        let x = &x[block * ROWS * stride..];
        let count = rows.len() / width;
        let rows = &mut rows[column..];
        match count {
            4 => add(&multiply::<4>(x, stride, panel), rows, width, wide),
            3 => add(&multiply::<3>(x, stride, panel), rows, width, wide),
            2 => add(&multiply::<2>(x, stride, panel), rows, width, wide),
            _ => add(&multiply::<1>(x, stride, panel), rows, width, wide),
        }
    }
}

/// Adds a tile's sums to rows of `result` that are `width` apart.
#[inline]
fn add(sums: &[[f32; COLUMNS]], result: &mut [f32], width: usize, wide: usize) {
    for (sums, result) in sums.iter().zip(result.chunks_mut(width)) {
        // A panel's full width is known to the compiler, and is almost every panel's.
        if wide == COLUMNS {
            for (result, sum) in result[..COLUMNS].iter_mut().zip(sums) {
                *result += sum;
            }
        } else {
            for (result, sum) in result[..wide].iter_mut().zip(sums) {
                *result += sum;
            }
        }
    }
}

/// Columns `column ..` of rows `start ..` of the weight, in its own order; missing columns are 0.
fn pack(weight: Weight<'_>, start: usize, column: usize, wide: usize, panel: &mut [f32]) {
    for (k, packed) in panel.chunks_exact_mut(COLUMNS).enumerate() {
        let from = (start + k) * weight.inputs + column;
        let values = &weight.values[from..from + wide];
        if let Ok(values) = <&[f32; COLUMNS]>::try_from(values) {
            packed.copy_from_slice(values);
        } else {
            packed[..wide].copy_from_slice(values);
            packed[wide..].fill(0.0);
        }
    }
}

/// Columns `start ..` of rows `column ..` of the weight, transposed; missing rows are 0.
fn pack_transposed(
    weight: Weight<'_>,
    start: usize,
    column: usize,
    wide: usize,
    panel: &mut [f32],
) {
    let depth = panel.len() / COLUMNS;
    let row = |j: usize| {
        let from = (column + j) * weight.inputs + start;
        &weight.values[from..from + depth]
    };
    if wide == COLUMNS {
        let rows: [&[f32]; COLUMNS] = std::array::from_fn(row);
        for (k, packed) in panel.chunks_exact_mut(COLUMNS).enumerate() {
            for (packed, row) in packed.iter_mut().zip(rows) {
                *packed = row[k];
            }
        }
        return;
    }
    panel.fill(0.0);
    for j in 0..wide {
        for (packed, value) in panel.chunks_exact_mut(COLUMNS).zip(row(j)) {
            packed[j] = *value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small integers, of which sums are exact in f32 in any order.
    fn integers(count: usize, seed: usize) -> Vec<f32> {
        (0..count)
            .map(|i| ((i * 7919 + seed * 104_729) % 17) as f32 - 8.0)
            .collect()
    }

    /// The definition, in f64.
    fn by_definition(x: &[f32], rows: usize, weight: Weight<'_>, direction: Direction) -> Vec<f32> {
        let (depth, width) = match direction {
            Direction::Forward => (weight.inputs, weight.outputs),
            Direction::Backward => (weight.outputs, weight.inputs),
        };
        let at = |k: usize, j: usize| match direction {
            Direction::Forward => weight.values[j * weight.inputs + k],
            Direction::Backward => weight.values[k * weight.inputs + j],
        };
        (0..rows * width)
            .map(|index| {
                let (i, j) = (index / width, index % width);
                (0..depth)
                    .map(|k| f64::from(x[i * depth + k]) * f64::from(at(k, j)))
                    .sum::<f64>() as f32
            })
            .collect()
    }

    #[test]
    fn every_remainder_of_rows_columns_and_depth_is_as_defined() {
        for rows in [1, 2, 3, 4, 5, 11, 12] {
            for (outputs, inputs) in [(1, 1), (8, 256), (9, 257), (7, 512), (300, 13), (24, 515)] {
                let values = integers(outputs * inputs, rows);
                let weight = Weight {
                    values: &values,
                    outputs,
                    inputs,
                };
                for direction in [Direction::Forward, Direction::Backward] {
                    let depth = match direction {
                        Direction::Forward => inputs,
                        Direction::Backward => outputs,
                    };
                    let x = integers(rows * depth, 3);
                    assert_eq!(
                        product(&x, rows, weight, direction),
                        by_definition(&x, rows, weight, direction),
                        "{rows} rows, [{outputs}, {inputs}], {direction:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn no_rows_give_no_result() {
        let weight = Weight {
            values: &[1.0; 6],
            outputs: 2,
            inputs: 3,
        };
        assert!(product(&[], 0, weight, Direction::Forward).is_empty());
    }
}
