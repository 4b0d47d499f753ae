//! Model files: what is read from them, and what is refused.

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[path = "load/mod.rs"]
mod load;
