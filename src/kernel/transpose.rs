//! Eight rows to as many columns.

use super::tile::COLUMNS;

/// Depth that is transposed at once.
const SQUARE: usize = 4;

/// [COLUMNS, depth] to [depth, COLUMNS], a panel.
///
/// # Panics
/// If `rows` are not as many values as the panel.
pub fn transpose(rows: &[f32], panel: &mut [f32]) {
    assert_eq!(rows.len(), panel.len());
    let depth = panel.len() / COLUMNS;
    transpose_rows(rows, depth, depth, panel, COLUMNS);
}

/// `columns[k · pitch + j] = rows[j · stride + k]` for `COLUMNS` rows j and k below `depth`.
///
/// # Panics
/// If a row or a column is not whole.
pub fn transpose_rows(
    rows: &[f32],
    stride: usize,
    depth: usize,
    columns: &mut [f32],
    pitch: usize,
) {
    if depth == 0 {
        return;
    }
    assert!(rows.len() >= (COLUMNS - 1) * stride + depth);
    assert!(columns.len() >= (depth - 1) * pitch + COLUMNS);
    let whole = depth / SQUARE * SQUARE;
    for k in (0..whole).step_by(SQUARE) {
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        // SAFETY: the assertions cover rows and columns to `depth`, and these end there at most.
        unsafe {
            vector::transpose(
                rows.as_ptr().add(k),
                stride,
                columns.as_mut_ptr().add(k * pitch),
                pitch,
            );
        }
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        one_by_one(&rows[k..], stride, SQUARE, &mut columns[k * pitch..], pitch);
    }
    if whole < depth {
        let columns = &mut columns[whole * pitch..];
        one_by_one(&rows[whole..], stride, depth - whole, columns, pitch);
    }
}

fn one_by_one(rows: &[f32], stride: usize, depth: usize, columns: &mut [f32], pitch: usize) {
    for k in 0..depth {
        for (j, value) in columns[k * pitch..][..COLUMNS].iter_mut().enumerate() {
            *value = rows[j * stride + k];
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector {
    use core::arch::wasm32::{i32x4_shuffle, v128_load, v128_store};

    use super::{COLUMNS, SQUARE};

    /// # Safety
    /// `COLUMNS` rows of `SQUARE` values, `stride` apart, can be read at `rows`, and `SQUARE` of `COLUMNS` values, `pitch`
    /// apart, written at `columns`.
    #[inline(always)]
    pub unsafe fn transpose(rows: *const f32, stride: usize, columns: *mut f32, pitch: usize) {
        for four in (0..COLUMNS).step_by(SQUARE) {
            // SAFETY: the caller's promise; loads of WebAssembly need no alignment.
            let [a, b, c, d] =
                std::array::from_fn(|j| unsafe { v128_load(rows.add((four + j) * stride).cast()) });
            let (ab_first, ab_last) = (
                i32x4_shuffle::<0, 4, 1, 5>(a, b),
                i32x4_shuffle::<2, 6, 3, 7>(a, b),
            );
            let (cd_first, cd_last) = (
                i32x4_shuffle::<0, 4, 1, 5>(c, d),
                i32x4_shuffle::<2, 6, 3, 7>(c, d),
            );
            let turned = [
                i32x4_shuffle::<0, 1, 4, 5>(ab_first, cd_first),
                i32x4_shuffle::<2, 3, 6, 7>(ab_first, cd_first),
                i32x4_shuffle::<0, 1, 4, 5>(ab_last, cd_last),
                i32x4_shuffle::<2, 3, 6, 7>(ab_last, cd_last),
            ];
            for (k, column) in turned.into_iter().enumerate() {
                // SAFETY: the caller's promise; stores need no alignment either.
                unsafe { v128_store(columns.add(k * pitch + four).cast(), column) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_finds_its_place() {
        for depth in [1, 3, 4, 5, 256, 257] {
            let rows: Vec<f32> = (0..COLUMNS * depth).map(|i| i as f32).collect();
            let mut panel = vec![0.0; rows.len()];
            transpose(&rows, &mut panel);
            for k in 0..depth {
                for j in 0..COLUMNS {
                    assert_eq!(panel[k * COLUMNS + j], rows[j * depth + k]);
                }
            }
        }
    }
    #[test]
    fn rows_and_columns_may_lie_apart() {
        for depth in [1, 4, 6] {
            let rows: Vec<f32> = (0..COLUMNS * 9).map(|i| i as f32).collect();
            let mut columns = vec![-1.0; depth * 11];
            transpose_rows(&rows, 9, depth, &mut columns, 11);
            for (k, column) in columns.chunks(11).enumerate() {
                let expected: Vec<f32> = (0..COLUMNS).map(|j| rows[j * 9 + k]).collect();
                assert_eq!(column[..COLUMNS], expected);
                assert_eq!(column[COLUMNS..], [-1.0; 3]);
            }
        }
    }
}
