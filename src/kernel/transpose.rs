//! Rows of a weight to a panel of its columns.

use super::tile::COLUMNS;

/// Depth that is transposed at once.
const SQUARE: usize = 4;

/// [COLUMNS, depth] to [depth, COLUMNS].
///
/// # Panics
/// If `rows` are not as many values as the panel.
pub fn transpose(rows: &[f32], panel: &mut [f32]) {
    assert_eq!(rows.len(), panel.len());
    let depth = panel.len() / COLUMNS;
    let whole = depth / SQUARE * SQUARE;
    let (squares, rest) = panel.as_chunks_mut::<{ SQUARE * COLUMNS }>();
    for (index, square) in squares.iter_mut().enumerate() {
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        // SAFETY: `COLUMNS` rows, `depth` apart, have `SQUARE` values each from here on.
        unsafe {
            vector::transpose(rows.as_ptr().add(index * SQUARE), depth, square);
        }
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        one_by_one(&rows[index * SQUARE..], depth, square);
    }
    one_by_one(&rows[whole..], depth, rest);
}

/// `rows` are `depth` apart.
fn one_by_one(rows: &[f32], depth: usize, panel: &mut [f32]) {
    for (k, packed) in panel.chunks_exact_mut(COLUMNS).enumerate() {
        for (j, packed) in packed.iter_mut().enumerate() {
            *packed = rows[j * depth + k];
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector {
    use core::arch::wasm32::{i32x4_shuffle, v128_load, v128_store};

    use super::{COLUMNS, SQUARE};

    /// # Safety
    /// `COLUMNS` rows of `SQUARE` values, `depth` apart, can be read at `rows`.
    #[inline(always)]
    pub unsafe fn transpose(rows: *const f32, depth: usize, square: &mut [f32; SQUARE * COLUMNS]) {
        for four in (0..COLUMNS).step_by(SQUARE) {
            // SAFETY: the caller's promise; loads of WebAssembly need no alignment.
            let [a, b, c, d] =
                std::array::from_fn(|j| unsafe { v128_load(rows.add((four + j) * depth).cast()) });
            let (ab_first, ab_last) = (
                i32x4_shuffle::<0, 4, 1, 5>(a, b),
                i32x4_shuffle::<2, 6, 3, 7>(a, b),
            );
            let (cd_first, cd_last) = (
                i32x4_shuffle::<0, 4, 1, 5>(c, d),
                i32x4_shuffle::<2, 6, 3, 7>(c, d),
            );
            let columns = [
                i32x4_shuffle::<0, 1, 4, 5>(ab_first, cd_first),
                i32x4_shuffle::<2, 3, 6, 7>(ab_first, cd_first),
                i32x4_shuffle::<0, 1, 4, 5>(ab_last, cd_last),
                i32x4_shuffle::<2, 3, 6, 7>(ab_last, cd_last),
            ];
            for (k, column) in columns.into_iter().enumerate() {
                let packed = &mut square[k * COLUMNS + four..][..SQUARE];
                // SAFETY: the slice has as many values as a vector has lanes.
                unsafe { v128_store(packed.as_mut_ptr().cast(), column) };
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
}
