//! A frozen matrix in the form its file has it.

use std::ops::Range;

use crate::packed::{StorageType, dequantise_rows};

/// A matrix [outputs, inputs], row by row, packed as GGML or IEEE 754 pack it.
///
/// It is unpacked a few rows and columns at a time, where they are needed, so that a model takes as much memory as its
/// file.
pub struct Matrix {
    storage: StorageType,
    outputs: usize,
    inputs: usize,
    bytes: Vec<u8>,
}

impl Matrix {
    /// A matrix of `bytes`; `None` where they are not as many as the shape takes, or where a row is no whole number of
    /// the type's blocks.
    pub fn new(storage: StorageType, shape: [usize; 2], bytes: Vec<u8>) -> Option<Self> {
        let [outputs, inputs] = shape;
        let row_bytes = usize::try_from(storage.row_bytes(inputs as u64)?).ok()?;
        let fits = bytes.len() == outputs.checked_mul(row_bytes)?;
        fits.then_some(Self {
            storage,
            outputs,
            inputs,
            bytes,
        })
    }

    /// Rows, out.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Columns, in.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// How it is packed.
    pub fn storage(&self) -> StorageType {
        self.storage
    }

    /// What its file has of some rows.
    ///
    /// # Panics
    /// If the matrix has no such rows.
    pub fn packed_rows(&self, rows: Range<usize>) -> &[u8] {
        let row_bytes = self.row_bytes();
        &self.bytes[rows.start * row_bytes..rows.end * row_bytes]
    }

    /// A matrix of some rows, of bytes of its own.
    ///
    /// # Panics
    /// If the matrix has no such rows.
    pub fn part(&self, rows: Range<usize>) -> Self {
        Self {
            storage: self.storage,
            outputs: rows.len(),
            inputs: self.inputs,
            bytes: self.packed_rows(rows).to_vec(),
        }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Columns of a block, which is unpacked whole or not at all.
    pub fn block(&self) -> usize {
        self.storage.block_values()
    }

    /// The columns `start .. start + values.len()` of a row.
    ///
    /// # Panics
    /// If they lie outside of the matrix, or begin or end within a block.
    pub fn read(&self, row: usize, start: usize, values: &mut [f32]) {
        self.read_rows(row, start, values.len(), values);
    }

    /// The columns `start .. start + width` of as many rows from `row` on as `values` has room for, one after the other.
    ///
    /// # Panics
    /// As [`Self::read`].
    pub fn read_rows(&self, row: usize, start: usize, width: usize, values: &mut [f32]) {
        let (block, block_bytes) = (self.storage.block_values(), self.storage.block_bytes());
        assert!(start + width <= self.inputs && start.is_multiple_of(block));
        let row_bytes = self.row_bytes();
        let from = row * row_bytes + start / block * block_bytes;
        dequantise_rows(self.storage, &self.bytes[from..], row_bytes, width, values);
    }

    fn row_bytes(&self) -> usize {
        self.inputs / self.storage.block_values() * self.storage.block_bytes()
    }
}

impl std::fmt::Debug for Matrix {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Matrix")
            .field("storage", &self.storage)
            .field("outputs", &self.outputs)
            .field("inputs", &self.inputs)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_the_shapes_make_no_matrix() {
        let made = |storage, shape, bytes| Matrix::new(storage, shape, vec![0; bytes]).is_some();
        assert!(made(StorageType::F32, [2, 3], 24));
        assert!(!made(StorageType::F32, [2, 3], 23));
        assert!(made(StorageType::Q8_0, [2, 64], 2 * 2 * 34));
        assert!(!made(StorageType::Q8_0, [2, 48], 2 * 34));
        assert!(!made(StorageType::F32, [usize::MAX, 3], 24));
    }

    #[test]
    fn a_part_of_a_row_is_read_from_its_blocks() {
        // Two rows of two blocks; block i has the scale 1 and the numbers i + 0, i + 1, ...
        let one = half::f16::ONE.to_le_bytes();
        let block = |first: u8| one.into_iter().chain((0..32).map(move |i| first + i));
        let bytes = (0..4).flat_map(block).collect();
        let matrix = Matrix::new(StorageType::Q8_0, [2, 64], bytes).unwrap();
        let mut values = [0.0; 32];
        matrix.read(1, 32, &mut values);
        assert_eq!(values[0], 3.0);
        assert_eq!(values[31], 34.0);
    }
}
