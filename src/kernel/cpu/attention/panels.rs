//! Rows of a head as panels, so that products with its transpose find them in order.

use super::heads::Head;
use crate::kernel::{
    strip::Rows,
    tile::{COLUMNS, Panel},
    transpose::transpose_rows,
};

/// All rows of a head: for `COLUMNS` tokens each, `width` rows of their values.
#[derive(Debug, Default)]
pub struct Panels {
    values: Vec<f32>,
    tokens: usize,
    width: usize,
}

impl Panels {
    /// Takes the rows of another head.
    pub fn fill(&mut self, head: Head<'_>) {
        self.tokens = head.tokens();
        self.width = head.width();
        self.values
            .resize(self.tokens.next_multiple_of(COLUMNS) * self.width, 0.0);
        let size = COLUMNS * self.width;
        let mut rest = vec![0.0; size];
        for (index, panel) in self.values.chunks_exact_mut(size).enumerate() {
            let first = index * COLUMNS;
            if first + COLUMNS <= self.tokens {
                let (rows, stride) = head.values_from(first);
                transpose_rows(rows, stride, self.width, panel, COLUMNS);
                continue;
            }
            for (token, row) in (first..self.tokens).zip(rest.chunks_exact_mut(self.width)) {
                row.copy_from_slice(head.row(token));
            }
            transpose_rows(&rest, self.width, self.width, panel, COLUMNS);
        }
    }

    /// Adds `rows · headᵀ` for the tokens from `first`, a multiple of `COLUMNS`, to `end`.
    ///
    /// # Shapes
    /// - `result`: a row each, `pitch` apart, of a value a token
    pub fn multiply_add(
        &self,
        rows: Rows<'_>,
        first: usize,
        end: usize,
        result: &mut [f32],
        pitch: usize,
    ) {
        let size = COLUMNS * self.width;
        for token in (first..end).step_by(COLUMNS) {
            let panel = &self.values[token / COLUMNS * size..][..size];
            let panel = Panel::new(panel, self.width, COLUMNS);
            let wide = COLUMNS.min(end - token);
            rows.multiply_add(panel, &mut result[token - first..], pitch, wide);
        }
    }
}
