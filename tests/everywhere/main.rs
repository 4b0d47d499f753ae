//! Tests that run natively and in the browser, from one body each.
//!
//! One binary, because every wasm test binary links a whole engine.

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// An async test on the build's engine, which draws the same random numbers at every run.
macro_rules! everywhere {
    ($(#[$attribute:meta])* async fn $name:ident() $body:block) => {
        $(#[$attribute])*
        #[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
        #[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
        async fn $name() {
            crate::support::draws::start(stringify!($name));
            $body
        }
    };
}

mod support;

// A software WebGPU adapter takes minutes for what these train; there, golden_training stands for them.
#[cfg(not(feature = "webgpu"))]
mod adapters;
#[cfg(not(feature = "webgpu"))]
mod bank;
mod cases;
#[cfg(not(feature = "webgpu"))]
mod checkpoint;
mod data;
mod diagnostics;
mod diffusion;
#[cfg(not(feature = "webgpu"))]
mod diffusion_lanes;
#[cfg(not(feature = "webgpu"))]
mod diffusion_sessions;
mod families;
mod forms;
#[cfg(not(feature = "webgpu"))]
mod fuzz;
mod golden_base;
#[cfg(not(feature = "webgpu"))]
mod golden_gguf;
#[cfg(not(feature = "webgpu"))]
mod golden_ten_steps;
mod golden_training;
mod inverse;
mod kernel;
mod load;
mod merge;
#[cfg(not(feature = "webgpu"))]
mod optimizers;
mod parts;
#[cfg(not(feature = "webgpu"))]
mod peft;
mod presets;
mod split;
mod stop;
mod theory;
mod tiny;
mod token_losses;
