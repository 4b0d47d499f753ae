//! A test or a benchmark that declares this module measures its whole program.

use riemann_lora::train::counting::Counting;
pub use riemann_lora::train::counting::{MOST, NOW};

/// In the browser the module counts by itself.
#[cfg(not(target_arch = "wasm32"))]
#[global_allocator]
static ALLOCATOR: Counting = Counting;
