//! The innermost loop: a few rows of activations against one panel of a weight.

/// Rows of a full tile.
pub const ROWS: usize = 4;

/// Columns of a panel.
pub const COLUMNS: usize = 8;

/// Sums of a tile of `M` rows.
pub type Sums<const M: usize> = [[f32; COLUMNS]; M];

/// A panel of a weight: `depth` rows of `COLUMNS` values.
#[derive(Debug, Clone, Copy)]
pub struct Panel<'a> {
    values: &'a [f32],
    depth: usize,
    pitch: usize,
}

impl<'a> Panel<'a> {
    /// Rows that begin `pitch` apart in `values`.
    ///
    /// # Panics
    /// If a row is not whole.
    #[inline]
    pub fn new(values: &'a [f32], depth: usize, pitch: usize) -> Self {
        assert!(depth > 0 && values.len() >= (depth - 1) * pitch + COLUMNS);
        Self {
            values,
            depth,
            pitch,
        }
    }
}

/// `sums[i][j] = Σ_k x[i · stride + k] · panel[k][j]` over the panel's depth.
///
/// # Shapes
/// - `x`: `M` rows, `stride` apart, at least as deep as the panel
///
/// # Panics
/// If `x` is shorter than its last row's end.
#[inline]
pub fn multiply<const M: usize>(x: &[f32], stride: usize, panel: Panel<'_>) -> Sums<M> {
    assert!(x.len() >= (M - 1) * stride + panel.depth);
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    // SAFETY: the assertion above covers every row, and that of the panel its rows.
    return unsafe {
        vector::multiply(
            x.as_ptr(),
            stride,
            panel.values.as_ptr(),
            panel.depth,
            panel.pitch,
        )
    };
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    portable::multiply(x, stride, panel)
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod portable {
    use super::{COLUMNS, Panel, Sums};

    /// As [`super::multiply`].
    pub fn multiply<const M: usize>(x: &[f32], stride: usize, panel: Panel<'_>) -> Sums<M> {
        let mut sums = [[0.0; COLUMNS]; M];
        let rows: [&[f32]; M] = std::array::from_fn(|i| &x[i * stride..i * stride + panel.depth]);
        for k in 0..panel.depth {
            let weights = &panel.values[k * panel.pitch..][..COLUMNS];
            for (sums, row) in sums.iter_mut().zip(rows) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += row[k] * weight;
                }
            }
        }
        sums
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector {
    #[cfg(feature = "relaxed-simd")]
    use core::arch::wasm32::f32x4_relaxed_madd;
    #[cfg(not(feature = "relaxed-simd"))]
    use core::arch::wasm32::{f32x4_add, f32x4_mul};
    use core::arch::wasm32::{f32x4_splat, v128, v128_load, v128_load32_splat, v128_store};

    use super::{COLUMNS, Sums};

    const LANES: usize = 4;
    const VECTORS: usize = COLUMNS / LANES;

    /// As [`super::multiply`].
    ///
    /// # Safety
    /// `M` rows of `depth` values, `stride` apart, can be read at `x`, and `depth` of `COLUMNS` values, `pitch` apart, at
    /// `panel`.
    #[cfg_attr(not(feature = "relaxed-simd"), inline)]
    #[cfg_attr(feature = "relaxed-simd", target_feature(enable = "relaxed-simd"))]
    pub unsafe fn multiply<const M: usize>(
        x: *const f32,
        stride: usize,
        panel: *const f32,
        depth: usize,
        pitch: usize,
    ) -> Sums<M> {
        let mut sums = [[f32x4_splat(0.0); VECTORS]; M];
        let mut rows = [x; M];
        // Loops over indices: written with iterators over arrays, the sums are kept in memory.
        // SAFETY: the caller's promise; loads of WebAssembly need no alignment.
        unsafe {
            for (i, row) in rows.iter_mut().enumerate() {
                *row = x.add(i * stride);
            }
            for k in 0..depth {
                let mut weights = [f32x4_splat(0.0); VECTORS];
                for (j, weights) in weights.iter_mut().enumerate() {
                    *weights = v128_load(panel.add(k * pitch + j * LANES).cast());
                }
                for i in 0..M {
                    let value = v128_load32_splat(rows[i].add(k).cast());
                    for j in 0..VECTORS {
                        sums[i][j] = multiply_add(value, weights[j], sums[i][j]);
                    }
                }
            }
        }
        let mut result = [[0.0; COLUMNS]; M];
        for (result, sums) in result.iter_mut().zip(sums) {
            for (result, sum) in result.chunks_exact_mut(LANES).zip(sums) {
                // SAFETY: a chunk has as many values as a vector has lanes.
                unsafe { v128_store(result.as_mut_ptr().cast(), sum) };
            }
        }
        result
    }

    #[cfg(not(feature = "relaxed-simd"))]
    #[inline(always)]
    fn multiply_add(a: v128, b: v128, sum: v128) -> v128 {
        f32x4_add(sum, f32x4_mul(a, b))
    }

    /// Rounded once where the processor multiplies and adds at a stroke, else twice: WebAssembly leaves it to the machine.
    #[cfg(feature = "relaxed-simd")]
    #[target_feature(enable = "relaxed-simd")]
    #[inline]
    fn multiply_add(a: v128, b: v128, sum: v128) -> v128 {
        f32x4_relaxed_madd(a, b, sum)
    }
}
