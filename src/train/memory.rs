//! Bytes that this process or worker holds.

/// Bytes of wasm memory, which never shrinks; GPU buffers are not in it.
#[cfg(target_arch = "wasm32")]
pub fn held_bytes() -> f64 {
    const PAGE: f64 = 65_536.0;
    core::arch::wasm32::memory_size::<0>() as f64 * PAGE
}

/// Bytes of resident memory; 0 where the system does not say.
#[cfg(not(target_arch = "wasm32"))]
pub fn held_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| {
        let value = line.strip_prefix("VmRSS:")?;
        value.trim().strip_suffix(" kB")?.parse::<f64>().ok()
    });
    kilobytes.unwrap_or(0.0) * 1024.0
}

/// Bytes that are allocated now, where the program's allocator is [`Counting`](super::counting::Counting).
pub fn allocated_bytes() -> f64 {
    super::counting::NOW.load(std::sync::atomic::Ordering::Relaxed) as f64
}
