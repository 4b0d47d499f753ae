//! Which parts of a sequence have nothing to do with each other.

use std::ops::Range;

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Documents that lie one after the other in a sequence, so that none has to be filled up to the length of another: no query
/// sees a key of another document.
#[derive(Debug, Clone)]
pub struct Documents {
    /// Of each query the first key of its document, and the one behind the last; [2, T].
    pub(super) bounds: Tensor<2, Int>,
}

impl Documents {
    /// One document: `tokens` queries, which see the same `keys` keys.
    pub fn one(tokens: usize, keys: usize, device: &Device) -> Self {
        Self::of(std::iter::repeat_n(0..keys, tokens), device)
    }

    /// Documents of so many tokens each, which have a query and a key each.
    pub fn of_lengths(lengths: &[usize], device: &Device) -> Self {
        let mut end = 0;
        let keys = lengths.iter().flat_map(|&length| {
            end += length;
            std::iter::repeat_n(end - length..end, length)
        });
        Self::of(keys, device)
    }

    fn of(keys: impl Iterator<Item = Range<usize>>, device: &Device) -> Self {
        let (mut bounds, ends): (Vec<i32>, Vec<i32>) = keys
            .map(|keys| (keys.start as i32, keys.end as i32))
            .unzip();
        let tokens = bounds.len();
        bounds.extend(ends);
        Self {
            bounds: Tensor::from_data(TensorData::new(bounds, [2, tokens]), device),
        }
    }
}
