//! How the values in a file become those that the model holds.

/// Where the rows of a file belong in a weight, which is [out, in] in Hugging Face's order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// They are its rows.
    Rows,
    /// They are its columns, as `Conv1D` of transformers stores [in, out].
    Columns,
    /// They are its rows in the order of GGUF's llama, for heads of this width.
    ///
    /// Rotary positions turn pairs of rows of a head. Hugging Face pairs row i with row i + D/2; GGUF files of some
    /// architectures keep the rows of a pair beside each other, because their converter reorders each head from [2, D/2]
    /// to [D/2, 2].
    Pairs {
        /// D, which is even.
        head_dim: usize,
    },
    /// They are its rows, all queries before all keys before all values, where it has those of one head after another.
    Thirds {
        /// H.
        heads: usize,
        /// D.
        head_dim: usize,
    },
}

impl Arrangement {
    /// Where the file's row `row` belongs.
    pub fn row(self, row: usize) -> usize {
        match self {
            Self::Rows | Self::Columns => row,
            Self::Pairs { head_dim } => {
                let (head, inside) = (row / head_dim, row % head_dim);
                let (pair, side) = (inside / 2, inside % 2);
                head * head_dim + side * (head_dim / 2) + pair
            }
            Self::Thirds { heads, head_dim } => {
                let (third, inside) = (row / (heads * head_dim), row % (heads * head_dim));
                let (head, channel) = (inside / head_dim, inside % head_dim);
                (3 * head + third) * head_dim + channel
            }
        }
    }

    /// Whether rows stay where they are.
    pub fn keeps_rows(self) -> bool {
        self == Self::Rows
    }
}
