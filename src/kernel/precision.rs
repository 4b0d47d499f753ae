//! In which numbers wide weights are multiplied on the way forward.

use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(feature = "webgpu")]
use super::Direction;

/// Numbers that a product multiplies in; its sums are in single precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// f32.
    Single,
    /// f16, which has 11 bits and ends at 65,504.
    Half,
}

static HALF: AtomicBool = AtomicBool::new(false);

/// As long as it lives, products with wide weights are multiplied in some precision on the way forward. Gradients, which may
/// be smaller than half precision knows, are always in single.
#[must_use = "it lasts as long as this value"]
#[derive(Debug)]
pub struct ForwardPrecision(());

impl ForwardPrecision {
    /// Half precision if `half`, which needs [`half_is_available`].
    pub fn new(half: bool) -> Self {
        HALF.store(half, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for ForwardPrecision {
    fn drop(&mut self) {
        HALF.store(false, Ordering::Relaxed);
    }
}

/// The precision of a product with a wide weight that is asked for now.
#[cfg(feature = "webgpu")]
pub(super) fn precision_of(direction: Direction) -> Precision {
    match direction == Direction::Forward && HALF.load(Ordering::Relaxed) {
        true => Precision::Half,
        false => Precision::Single,
    }
}

/// Whether the engine can multiply in half precision.
pub fn half_is_available() -> bool {
    #[cfg(feature = "webgpu")]
    return crate::engine::has_half_precision();
    #[cfg(not(feature = "webgpu"))]
    false
}
