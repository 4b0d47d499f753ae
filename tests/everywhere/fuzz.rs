//! Malformed tokenizers and chat templates where a panic ends the worker, and memory that was taken is never given back.

use wasm_bindgen_test::wasm_bindgen_test;

#[allow(dead_code, reason = "tests/fuzz tries all of it")]
#[path = "../fuzz/inputs/mod.rs"]
mod inputs;

use inputs::{Random, Target, template::Template, tokenizer::TokenizerFiles};

/// Other cases than those of tests/fuzz.
const SEED: u64 = 0;

#[wasm_bindgen_test(unsupported = test)]
fn malformed_tokenizers_do_no_harm() {
    assert!(accepted(&TokenizerFiles, 1_500) > 100);
}

#[wasm_bindgen_test(unsupported = test)]
fn malformed_templates_do_no_harm() {
    assert!(accepted(&Template, 4_000) > 80);
}

/// Tries cases; the result is how many were accepted.
fn accepted(target: &impl Target, cases: u64) -> usize {
    let attempts = (0..cases).filter(|&case| {
        let files = target.draw(&mut Random::new(SEED, case));
        target.attempt(&files).is_ok()
    });
    let accepted = attempts.count();
    #[cfg(target_arch = "wasm32")]
    {
        const PAGE: usize = 1 << 16;
        let bytes = core::arch::wasm32::memory_size(0) * PAGE;
        assert!(bytes < 1 << 29, "the module has grown to {bytes} bytes");
    }
    accepted
}
