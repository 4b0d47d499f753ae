//! Llama 1 to 3: RMSNorm, rotary positions, grouped-query attention, SwiGLU; no biases.

use super::{Architecture, decoder::DECODER};

/// Llama.
pub static LLAMA: Architecture = Architecture {
    gguf_keeps_pairs: true,
    ..DECODER
};
