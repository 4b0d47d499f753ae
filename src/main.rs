//! The native program: the page's experiments from a terminal.

#[cfg(not(target_arch = "wasm32"))]
mod program;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> anyhow::Result<()> {
    program::run()
}

/// A wasm module has no program; cargo builds this target all the same.
#[cfg(target_arch = "wasm32")]
fn main() {}
