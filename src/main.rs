//! The native program: the page's experiments from a terminal.

#[cfg(not(target_arch = "wasm32"))]
mod program;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    match program::run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        // anyhow's own way of printing puts a backtrace before the message where RUST_BACKTRACE is set.
        Err(error) => {
            eprintln!("Error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// A wasm module has no program; cargo builds this target all the same.
#[cfg(target_arch = "wasm32")]
fn main() {}
