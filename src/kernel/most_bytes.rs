//! What a device takes whole.

/// Bytes of the largest tensor that the engine's kernels can be given; `None` where there is no limit.
pub fn most_bytes() -> Option<usize> {
    #[cfg(feature = "webgpu")]
    return crate::engine::most_bytes();
    #[cfg(not(feature = "webgpu"))]
    None
}
