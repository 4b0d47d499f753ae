//! The innermost loop: a few rows of activations against one panel of a weight.

/// Rows of a full tile.
pub const ROWS: usize = 4;

/// Columns of a panel.
pub const COLUMNS: usize = 8;

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

/// `result[i · width + j] += Σ_k x[i · stride + k] · panel[k][j]` over the panel's depth.
///
/// # Shapes
/// - `x`: `M` rows, `stride` apart, at least as deep as the panel
/// - `result`: `M` rows, `width` apart, of `COLUMNS` at least
///
/// # Panics
/// If `x` or `result` is shorter than its last row's end.
#[inline]
pub fn multiply_add<const M: usize>(
    x: &[f32],
    stride: usize,
    panel: Panel<'_>,
    result: &mut [f32],
    width: usize,
) {
    assert!(x.len() >= (M - 1) * stride + panel.depth);
    assert!(result.len() >= (M - 1) * width + COLUMNS);
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    // SAFETY: the assertions above cover every row, and that of the panel its rows.
    unsafe {
        vector::multiply_add::<M>(
            x.as_ptr(),
            stride,
            panel.values.as_ptr(),
            panel.depth,
            panel.pitch,
            result.as_mut_ptr(),
            width,
        );
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the processor has what the function is compiled for.
        unsafe { portable::fused::<M>(x, stride, panel, result, width) };
        return;
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    portable::multiply_add::<M, false>(x, stride, panel, result, width);
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod portable {
    use super::{COLUMNS, Panel};

    /// [`multiply_add`] in vectors of eight, rounded once.
    ///
    /// # Safety
    /// The processor has AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn fused<const M: usize>(
        x: &[f32],
        stride: usize,
        panel: Panel<'_>,
        result: &mut [f32],
        width: usize,
    ) {
        multiply_add::<M, true>(x, stride, panel, result, width);
    }

    /// As [`super::multiply_add`].
    #[inline(always)]
    pub fn multiply_add<const M: usize, const FUSED: bool>(
        x: &[f32],
        stride: usize,
        panel: Panel<'_>,
        result: &mut [f32],
        width: usize,
    ) {
        let mut sums = [[0.0_f32; COLUMNS]; M];
        let rows: [&[f32]; M] = std::array::from_fn(|i| &x[i * stride..i * stride + panel.depth]);
        for k in 0..panel.depth {
            let weights = &panel.values[k * panel.pitch..][..COLUMNS];
            for (sums, row) in sums.iter_mut().zip(rows) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum = match FUSED {
                        true => row[k].mul_add(*weight, *sum),
                        false => *sum + row[k] * weight,
                    };
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            for (result, sum) in result[i * width..].iter_mut().zip(sums) {
                *result += sum;
            }
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector {
    #[cfg(feature = "relaxed-simd")]
    use core::arch::wasm32::f32x4_relaxed_madd;
    #[cfg(not(feature = "relaxed-simd"))]
    use core::arch::wasm32::{f32x4_add, f32x4_mul};
    use core::arch::wasm32::{f32x4_splat, v128, v128_load, v128_load32_splat, v128_store};

    use super::COLUMNS;

    const LANES: usize = 4;
    const VECTORS: usize = COLUMNS / LANES;

    /// As [`super::multiply_add`].
    ///
    /// # Safety
    /// `M` rows of `depth` values, `stride` apart, can be read at `x`, `depth` of `COLUMNS` values, `pitch` apart, at
    /// `panel`, and `M` rows of `COLUMNS` values, `width` apart, can be written at `result`.
    #[cfg_attr(not(feature = "relaxed-simd"), inline)]
    #[cfg_attr(feature = "relaxed-simd", target_feature(enable = "relaxed-simd"))]
    #[allow(
        clippy::needless_range_loop,
        reason = "with iterators over arrays the sums are kept in memory"
    )]
    pub unsafe fn multiply_add<const M: usize>(
        x: *const f32,
        stride: usize,
        panel: *const f32,
        depth: usize,
        pitch: usize,
        result: *mut f32,
        width: usize,
    ) {
        let mut sums = [[f32x4_splat(0.0); VECTORS]; M];
        let mut rows = [x; M];
        // SAFETY: the caller's promise; loads and stores of WebAssembly need no alignment.
        unsafe {
            for i in 0..M {
                rows[i] = x.add(i * stride);
                for j in 0..VECTORS {
                    sums[i][j] = v128_load(result.add(i * width + j * LANES).cast());
                }
            }
            for k in 0..depth {
                let mut weights = [f32x4_splat(0.0); VECTORS];
                for (j, weights) in weights.iter_mut().enumerate() {
                    *weights = v128_load(panel.add(k * pitch + j * LANES).cast());
                }
                for i in 0..M {
                    let value = v128_load32_splat(rows[i].add(k).cast());
                    for j in 0..VECTORS {
                        sums[i][j] = fused(value, weights[j], sums[i][j]);
                    }
                }
            }
            for i in 0..M {
                for j in 0..VECTORS {
                    v128_store(result.add(i * width + j * LANES).cast(), sums[i][j]);
                }
            }
        }
    }

    #[cfg(not(feature = "relaxed-simd"))]
    #[inline(always)]
    fn fused(a: v128, b: v128, sum: v128) -> v128 {
        f32x4_add(sum, f32x4_mul(a, b))
    }

    /// Rounded once where the processor multiplies and adds at a stroke, else twice: WebAssembly leaves it to the machine.
    #[cfg(feature = "relaxed-simd")]
    #[target_feature(enable = "relaxed-simd")]
    #[inline]
    fn fused(a: v128, b: v128, sum: v128) -> v128 {
        f32x4_relaxed_madd(a, b, sum)
    }
}
