//! Lying files must not make the loader allocate much. Only natively: the allocator of the whole program is counted.
#![cfg(not(target_arch = "wasm32"))]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

#[allow(dead_code, reason = "most of it is for the other tests")]
#[path = "everywhere/load"]
mod load {
    pub mod damage;
    pub mod gguf_writer;
}

/// Counts the bytes that are allocated now, and the most that ever were.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(now, Relaxed);
        // SAFETY: the caller keeps the same promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the same promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn damaged_files_do_not_allocate_much() {
    // Regular expressions of the pre-tokenizer take most of it; the file has a tenth of a megabyte.
    const LIMIT: usize = 4 << 20;
    let mut highest = 0;
    load::damage::try_damaged_files(2, 10_000, |attempt| {
        let before = NOW.load(Relaxed);
        MOST.store(before, Relaxed);
        attempt();
        let used = MOST.load(Relaxed) - before;
        highest = highest.max(used);
        assert!(used < LIMIT, "{used} bytes were allocated");
    });
    println!("at most {highest} bytes were allocated");
}
