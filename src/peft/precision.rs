//! How the numbers of an exported file are stored.

use safetensors::Dtype;
use serde::{Deserialize, Serialize};

/// A floating-point type of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision: what is trained, to the bit.
    F32,
    /// Half precision.
    F16,
    /// The upper half of single precision.
    Bf16,
}

impl Precision {
    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Its name in transformers.
    pub fn torch_name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
        }
    }

    /// Its name in safetensors files.
    pub fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
            Self::Bf16 => Dtype::BF16,
        }
    }

    /// Numbers of `ggml_type` and of `llama_ftype`.
    pub fn ggml_numbers(self) -> (u32, u32) {
        match self {
            Self::F32 => (0, 0),
            Self::F16 => (1, 1),
            Self::Bf16 => (30, 32),
        }
    }

    /// Little-endian bytes of `values`, rounded to the nearest.
    pub fn bytes(self, values: impl Iterator<Item = f32>) -> Vec<u8> {
        match self {
            Self::F32 => values.flat_map(f32::to_le_bytes).collect(),
            Self::F16 => values
                .flat_map(|value| half::f16::from_f32(value).to_le_bytes())
                .collect(),
            Self::Bf16 => values
                .flat_map(|value| half::bf16::from_f32(value).to_le_bytes())
                .collect(),
        }
    }
}
