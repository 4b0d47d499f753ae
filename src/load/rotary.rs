//! The order of query and key rows.
//!
//! Rotary positions turn pairs of rows of a head. Hugging Face pairs row i with row i + D/2; GGUF files of the llama
//! architecture keep the rows of a pair beside each other, because their converter reorders each head from [2, D/2] to
//! [D/2, 2].

/// Where row `row` of a GGUF query or key weight belongs in Hugging Face's order.
///
/// `head_dim` is the head width D, which is even.
pub fn hugging_face_row(row: usize, head_dim: usize) -> usize {
    let (head, inside) = (row / head_dim, row % head_dim);
    let (pair, side) = (inside / 2, inside % 2);
    head * head_dim + side * (head_dim / 2) + pair
}
