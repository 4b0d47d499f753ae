//! How the values of a tensor are packed in its file.

/// The storage types that can be read.
///
/// The quantised ones are GGML's. They store a row in blocks: each block has its own scale and, in some types, its own
/// minimum. A row is always a whole number of blocks.
#[allow(non_camel_case_types, reason = "these are GGML's names")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StorageType {
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of a single-precision number.
    BF16,
    /// 4 bits and a scale.
    Q4_0,
    /// 4 bits, a scale and a minimum.
    Q4_1,
    /// 5 bits and a scale.
    Q5_0,
    /// 5 bits, a scale and a minimum.
    Q5_1,
    /// 8 bits and a scale.
    Q8_0,
    /// 4 bits, with a 6-bit scale and minimum for every 32 of 256 values.
    Q4_K,
    /// 5 bits, with a 6-bit scale and minimum for every 32 of 256 values.
    Q5_K,
    /// 6 bits, with an 8-bit scale for every 16 of 256 values.
    Q6_K,
    /// 2 bits, with a 4-bit scale and minimum for every 16 of 256 values.
    Q2_K,
    /// 3 bits, with a 6-bit scale for every 16 of 256 values.
    Q3_K,
    /// 4 bits that choose among 16 numbers, and a scale.
    IQ4_NL,
    /// The same, with a 6-bit scale for every 32 of 256 values.
    IQ4_XS,
    /// 4 bits of floating point, and a power of two.
    MXFP4,
}

impl StorageType {
    /// Values in a block; 1 for the floating-point types.
    pub fn block_values(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q4_0
            | Self::Q4_1
            | Self::Q5_0
            | Self::Q5_1
            | Self::Q8_0
            | Self::IQ4_NL
            | Self::MXFP4 => 32,
            Self::Q2_K | Self::Q3_K | Self::Q4_K | Self::Q5_K | Self::Q6_K | Self::IQ4_XS => 256,
        }
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Q4_0 => 2 + 16,
            Self::Q4_1 => 2 + 2 + 16,
            Self::Q5_0 => 2 + 4 + 16,
            Self::Q5_1 => 2 + 2 + 4 + 16,
            Self::Q8_0 => 2 + 32,
            Self::Q4_K => 2 + 2 + 12 + 128,
            Self::Q5_K => 2 + 2 + 12 + 32 + 128,
            Self::Q6_K => 128 + 64 + 16 + 2,
            Self::Q2_K => 16 + 64 + 2 + 2,
            Self::Q3_K => 32 + 64 + 12 + 2,
            Self::IQ4_NL => 2 + 16,
            Self::IQ4_XS => 2 + 2 + 4 + 128,
            Self::MXFP4 => 1 + 16,
        }
    }

    /// Bytes of a row of `values` values, or `None` if that is no whole number of blocks or does not fit in 64 bits.
    pub fn row_bytes(self, values: u64) -> Option<u64> {
        let block_values = self.block_values() as u64;
        if !values.is_multiple_of(block_values) {
            return None;
        }
        (values / block_values).checked_mul(self.block_bytes() as u64)
    }

    /// The type with this number in a GGUF file, or the name of a type that is not supported.
    ///
    /// Numbers are those of `ggml_type` in GGML's `ggml.h`.
    ///
    /// # Errors
    /// The name of the type, for a message to the user.
    pub fn from_ggml(number: u32) -> Result<Self, String> {
        let name = match number {
            0 => return Ok(Self::F32),
            1 => return Ok(Self::F16),
            2 => return Ok(Self::Q4_0),
            3 => return Ok(Self::Q4_1),
            6 => return Ok(Self::Q5_0),
            7 => return Ok(Self::Q5_1),
            8 => return Ok(Self::Q8_0),
            10 => return Ok(Self::Q2_K),
            11 => return Ok(Self::Q3_K),
            12 => return Ok(Self::Q4_K),
            13 => return Ok(Self::Q5_K),
            14 => return Ok(Self::Q6_K),
            20 => return Ok(Self::IQ4_NL),
            23 => return Ok(Self::IQ4_XS),
            30 => return Ok(Self::BF16),
            39 => return Ok(Self::MXFP4),
            9 => "Q8_1",
            15 => "Q8_K",
            16 => "IQ2_XXS",
            17 => "IQ2_XS",
            18 => "IQ3_XXS",
            19 => "IQ1_S",
            21 => "IQ3_S",
            22 => "IQ2_S",
            24 => "I8",
            25 => "I16",
            26 => "I32",
            27 => "I64",
            28 => "F64",
            29 => "IQ1_M",
            34 => "TQ1_0",
            35 => "TQ2_0",
            40 => "NVFP4",
            other => return Err(format!("of the unknown type {other}")),
        };
        Err(name.to_owned())
    }
}

impl std::fmt::Display for StorageType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, formatter)
    }
}
