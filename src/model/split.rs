//! A frozen weight that is larger than the device takes in one piece.

use std::ops::Range;

use burn::tensor::{Int, Tensor};

use super::FrozenWeight;
use crate::kernel::{Direction, ProductPrecision};

/// A weight in parts of its rows, each of which the device takes whole, also where it is unpacked.
#[derive(Debug, Clone)]
pub struct SplitWeight {
    parts: Vec<FrozenWeight>,
}

/// The ranges into which rows of `inputs` values are split so that none has more than `most_bytes` as f32, of one length but
/// for the last, which may be shorter; one of all where that is enough or there is no such limit.
pub fn ranges(outputs: usize, inputs: usize, most_bytes: Option<usize>) -> Vec<Range<usize>> {
    let row_bytes = inputs * size_of::<f32>();
    let most_rows = match most_bytes {
        Some(bytes) if row_bytes > 0 => (bytes / row_bytes).max(1),
        _ => outputs,
    };
    let parts = outputs.div_ceil(most_rows.max(1)).max(1);
    let rows = outputs.div_ceil(parts);
    let range = |part: usize| part * rows..((part + 1) * rows).min(outputs);
    (0..parts).map(range).collect()
}

impl SplitWeight {
    /// A weight of these parts, the first rows first.
    pub fn new(parts: Vec<FrozenWeight>) -> Self {
        Self { parts }
    }

    /// [out, in].
    pub fn dims(&self) -> [usize; 2] {
        let outputs = self.parts.iter().map(|part| part.dims()[0]).sum();
        [outputs, self.parts.first().map_or(0, |part| part.dims()[1])]
    }

    /// Its parts, the first rows first.
    pub fn parts(&self) -> &[FrozenWeight] {
        &self.parts
    }

    /// As [`FrozenWeight::product`].
    pub fn product(
        &self,
        x: Tensor<2>,
        direction: Direction,
        precision: ProductPrecision,
    ) -> Tensor<2> {
        match direction {
            Direction::Forward => self.beside(|part| part.product(x.clone(), direction, precision)),
            Direction::Backward => {
                let products = self.parts_with_starts().map(|(start, part)| {
                    let x = x.clone().narrow(1, start, part.dims()[0]);
                    part.product(x, direction, precision)
                });
                let sum = products.reduce(|sum, product| sum + product);
                sum.unwrap_or_else(|| Tensor::zeros([x.dims()[0], 0], &x.device()))
            }
        }
    }

    /// As [`FrozenWeight::forward`].
    pub fn forward(&self, x: Tensor<2>, precision: ProductPrecision) -> Tensor<2> {
        self.beside(|part| part.forward(x.clone(), precision))
    }

    /// What each part gives for some rows, [N, rows of the part], side by side.
    fn beside(&self, of_part: impl Fn(&FrozenWeight) -> Tensor<2>) -> Tensor<2> {
        Tensor::cat(self.parts.iter().map(of_part).collect(), 1)
    }

    /// As [`FrozenWeight::select`]. Every part gives a row for every name, its own or another, of which one is taken: which
    /// parts are asked for would have to be read back from the device.
    pub fn select(&self, ids: Tensor<1, Int>) -> Tensor<2> {
        let [count] = ids.dims();
        let inputs = self.dims()[1];
        let mut selected = Tensor::zeros([count, inputs], &ids.device());
        for (start, part) in self.parts_with_starts() {
            let (first, last) = (start as i64, (start + part.dims()[0] - 1) as i64);
            let near = ids.clone().clamp(first, last);
            let is_here = near.clone().equal(ids.clone());
            let rows = part.select(near.sub_scalar(first));
            let is_here = is_here.unsqueeze_dim::<2>(1).expand([count, inputs]);
            selected = selected.mask_where(is_here, rows);
        }
        selected
    }

    /// As [`FrozenWeight::rows`].
    pub fn rows(&self, start: usize, count: usize) -> Tensor<2> {
        let parts = self.parts_with_starts().filter_map(|(first, part)| {
            let from = start.max(first);
            let to = (start + count).min(first + part.dims()[0]);
            (from < to).then(|| part.rows(from - first, to - from))
        });
        Tensor::cat(parts.collect(), 0)
    }

    fn parts_with_starts(&self) -> impl Iterator<Item = (usize, &FrozenWeight)> {
        self.parts.iter().scan(0, |start, part| {
            let first = *start;
            *start += part.dims()[0];
            Some((first, part))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_evenly_into_what_fits() {
        for enough in [None, Some(160)] {
            let whole = ranges(10, 4, enough);
            assert_eq!((whole.len(), whole[0].clone()), (1, 0..10));
        }
        assert_eq!(ranges(10, 4, Some(159)), [0..5, 5..10]);
        assert_eq!(ranges(10, 4, Some(64)), [0..4, 4..8, 8..10]);
        // A row that is too long on its own stays whole.
        assert_eq!(ranges(2, 4, Some(3)), [0..1, 1..2]);
        // Qwen3-0.6B's table in what every WebGPU adapter binds, 128 MiB.
        let table = ranges(151_936, 1024, Some(128 << 20));
        assert_eq!(table.len(), 5);
        assert!(table.iter().all(|rows| rows.len() * 4096 <= 128 << 20));
        assert_eq!(table.iter().map(Range::len).sum::<usize>(), 151_936);
    }
}
