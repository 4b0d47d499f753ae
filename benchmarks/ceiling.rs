//! The most that one core computes in WebAssembly: multiplications and additions in registers, of nothing.
//!
//! `scripts/bench-cpu` compiles it twice, with `--cfg fused` for relaxed SIMD.
#![no_std]

use core::arch::wasm32::*;

/// Independent sums: enough for the latency of an addition on two units, and few enough for 16 registers.
const SUMS: usize = 10;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[inline(always)]
fn multiply_add(a: v128, b: v128, sum: v128) -> v128 {
    #[cfg(fused)]
    return f32x4_relaxed_madd(a, b, sum);
    #[cfg(not(fused))]
    f32x4_add(sum, f32x4_mul(a, b))
}

/// 2 · 4 · 10 operations a repetition.
#[unsafe(no_mangle)]
pub extern "C" fn ceiling(repetitions: u32) -> f32 {
    let (factor, change) = (f32x4_splat(1.000_001), f32x4_splat(1e-9));
    let mut sums = [f32x4_splat(1.0); SUMS];
    for _ in 0..repetitions {
        for sum in &mut sums {
            *sum = multiply_add(*sum, factor, change);
        }
    }
    let mut all = f32x4_splat(0.0);
    for sum in sums {
        all = f32x4_add(all, sum);
    }
    f32x4_extract_lane::<0>(all)
}
