//! In which numbers wide weights are multiplied on the way forward.

/// Numbers that a product multiplies in; its sums are in single precision.
///
/// A forward pass carries it to its products with wide weights. Gradients, which may be smaller than half precision knows,
/// are always in single.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProductPrecision {
    /// f32.
    #[default]
    Single,
    /// f16, which has 11 bits and ends at 65,504; needs [`half_is_available`].
    Half,
}

/// Whether the engine can multiply in half precision.
pub fn half_is_available() -> bool {
    #[cfg(feature = "webgpu")]
    return crate::engine::has_half_precision();
    #[cfg(not(feature = "webgpu"))]
    false
}
