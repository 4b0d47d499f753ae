//! Lying files must not make the loader allocate much. Only natively: the allocator of the whole program is counted.
#![cfg(not(target_arch = "wasm32"))]

use std::sync::atomic::Ordering::Relaxed;

mod counting;
use counting::{MOST, NOW};

#[allow(dead_code, reason = "most of it is for the other tests")]
#[path = "everywhere/load"]
mod load {
    pub mod damage;
    pub mod gguf_writer;
}

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
