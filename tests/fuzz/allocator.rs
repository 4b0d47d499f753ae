//! The system's allocator, counted, with a bound.

use std::{
    alloc::{GlobalAlloc, Layout},
    sync::atomic::Ordering::Relaxed,
};

use riemann_lora::train::counting::{Counting, MOST, NOW};

/// Most bytes that may be allocated; who asks for more gets nothing, as on a machine that has no more.
const BOUND: usize = 1 << 30;

/// Bytes that a case may take beside four times its own.
const ALLOWED: usize = 64 << 20;

struct Bounded;

#[global_allocator]
static ALLOCATOR: Bounded = Bounded;

fn is_too_much(more: usize) -> bool {
    NOW.load(Relaxed).saturating_add(more) > BOUND
}

// SAFETY: everything is handed on as it came, or refused, which an allocator may do.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_too_much(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps the same promises.
        unsafe { Counting.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_too_much(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps the same promises.
        unsafe { Counting.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if is_too_much(size.saturating_sub(layout.size())) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps the same promises.
        unsafe { Counting.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the same promises.
        unsafe { Counting.dealloc(pointer, layout) }
    }
}

/// Runs `attempt` on an input of so many bytes; the result says how much memory it took, where that was more than allowed.
pub fn excess<T>(input: usize, attempt: impl FnOnce() -> T) -> (T, Option<usize>) {
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    let result = attempt();
    let took = MOST.load(Relaxed).saturating_sub(before);
    (result, (took > 4 * input + ALLOWED).then_some(took))
}
