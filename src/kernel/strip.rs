//! All rows of a product against one panel.

use super::tile::{COLUMNS, Panel, ROWS, multiply_add};

/// Rows of activations, read where they lie.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    values: &'a [f32],
    stride: usize,
    count: usize,
}

impl<'a> Rows<'a> {
    /// `count` rows that begin `stride` apart in `values`.
    pub fn new(values: &'a [f32], stride: usize, count: usize) -> Self {
        Self {
            values,
            stride,
            count,
        }
    }

    /// `result[i · width + j] += Σ_k row_i[k] · panel[k][j]` for j below `wide`.
    ///
    /// # Panics
    /// If a row is shorter than the panel is deep, or `result` ends before its last row's `wide` columns.
    #[inline]
    pub fn multiply_add(self, panel: Panel<'_>, result: &mut [f32], width: usize, wide: usize) {
        for first in (0..self.count).step_by(ROWS) {
            let count = ROWS.min(self.count - first);
            let x = &self.values[first * self.stride..];
            let rows = &mut result[first * width..];
            if wide == COLUMNS {
                multiply_rows(count, x, self.stride, panel, rows, width);
                continue;
            }
            // What is missing of the last columns must not be written.
            let mut tile = [0.0; ROWS * COLUMNS];
            multiply_rows(count, x, self.stride, panel, &mut tile, COLUMNS);
            for (row, sums) in rows.chunks_mut(width).zip(tile.chunks(COLUMNS)).take(count) {
                for (value, sum) in row[..wide].iter_mut().zip(sums) {
                    *value += sum;
                }
            }
        }
    }
}

/// [`multiply_add`] for `count` rows, of which a tile has no more than `ROWS`.
#[inline]
fn multiply_rows(
    count: usize,
    x: &[f32],
    stride: usize,
    panel: Panel<'_>,
    result: &mut [f32],
    width: usize,
) {
    match count {
        4 => multiply_add::<4>(x, stride, panel, result, width),
        3 => multiply_add::<3>(x, stride, panel, result, width),
        2 => multiply_add::<2>(x, stride, panel, result, width),
        _ => multiply_add::<1>(x, stride, panel, result, width),
    }
}
