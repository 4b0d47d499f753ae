//! A tensor of heads, read where it lies.

use std::ops::Range;

use burn::backend::{Flex, TensorMetadata, tensor::FloatTensor};

use super::super::host::contiguous;
use crate::kernel::{
    strip::Rows,
    tile::{COLUMNS, Panel},
};

/// Which axis of a tensor [S, _, _, D] has its heads; the other has its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadAxis {
    /// [S, H, T, D].
    First,
    /// [S, T, H, D].
    Second,
}

/// The rows of all heads of a tensor, whose rows may lie apart.
#[derive(Debug)]
pub struct Heads {
    tensor: FloatTensor<Flex>,
    strides: [usize; 3],
    /// S, heads, tokens and D.
    pub dims: [usize; 4],
}

impl Heads {
    /// Those of a tensor; copied first where a row's values are no neighbours.
    pub fn new(tensor: FloatTensor<Flex>, axis: HeadAxis) -> Self {
        let tensor = match tensor.layout().strides() {
            [sequence, head, row, 1] if *sequence >= 0 && *head >= 0 && *row >= 0 => tensor,
            _ => contiguous(tensor),
        };
        let shape = tensor.shape();
        let strides = tensor.layout().strides();
        let (head, token) = match axis {
            HeadAxis::First => (1, 2),
            HeadAxis::Second => (2, 1),
        };
        Self {
            strides: [0, head, token].map(|axis| strides[axis].unsigned_abs()),
            dims: [shape[0], shape[head], shape[token], shape[3]],
            tensor,
        }
    }

    /// One head of one sequence.
    pub fn head(&self, sequence: usize, head: usize) -> Head<'_> {
        let [of_sequence, of_head, stride] = self.strides;
        let [.., tokens, width] = self.dims;
        let start = self.tensor.layout().start_offset() + sequence * of_sequence + head * of_head;
        Head {
            values: &self.tensor.storage::<f32>()[start..],
            stride,
            tokens,
            width,
        }
    }

    /// `count` heads from `head` on at one token, as if they were the tokens of one head.
    pub fn group(&self, sequence: usize, head: usize, count: usize, token: usize) -> Head<'_> {
        let one = self.head(sequence, head);
        Head {
            values: &one.values[token * one.stride..],
            stride: self.strides[1],
            tokens: count,
            ..one
        }
    }

    /// Where one head of one sequence begins in a tensor of the same shape that lies in order, and how far apart its rows
    /// are there.
    pub fn place_in_order(&self, sequence: usize, head: usize, axis: HeadAxis) -> Place {
        let [_, heads, tokens, width] = self.dims;
        match axis {
            HeadAxis::First => Place {
                start: (sequence * heads + head) * tokens * width,
                stride: width,
            },
            HeadAxis::Second => Place {
                start: (sequence * tokens * heads + head) * width,
                stride: heads * width,
            },
        }
    }
}

/// The rows of a head in a slice.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The first value of the first row.
    pub start: usize,
    /// From a row to the next.
    pub stride: usize,
}

impl Place {
    /// The rows from `row` on.
    pub fn at_row(self, row: usize) -> Self {
        Self {
            start: self.start + row * self.stride,
            ..self
        }
    }
}

/// One head: a row of `width` values a token.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    values: &'a [f32],
    stride: usize,
    tokens: usize,
    width: usize,
}

impl<'a> Head<'a> {
    /// Tokens.
    pub fn tokens(self) -> usize {
        self.tokens
    }

    /// Values a row.
    pub fn width(self) -> usize {
        self.width
    }

    /// One token's row.
    pub fn row(self, token: usize) -> &'a [f32] {
        &self.values[token * self.stride..][..self.width]
    }

    /// All that follows from the row of token `first` on, and how far apart rows begin there.
    pub fn values_from(self, first: usize) -> (&'a [f32], usize) {
        (&self.values[first * self.stride..], self.stride)
    }

    /// Some of its tokens.
    pub fn part(self, tokens: &Range<usize>) -> Self {
        Self {
            values: &self.values[tokens.start * self.stride..],
            tokens: tokens.len(),
            ..self
        }
    }

    /// `count` rows from `first` on, as the left side of a product.
    pub fn rows(self, first: usize, count: usize) -> Rows<'a> {
        Rows::new(&self.values[first * self.stride..], self.stride, count)
    }

    /// `COLUMNS` columns from `column` on of `count` rows from `first` on, as the right side of a product. What lies beyond
    /// the last column is anything.
    ///
    /// # Panics
    /// If there are no such rows.
    pub fn columns<'b>(
        self,
        first: usize,
        count: usize,
        column: usize,
        copy: &'b mut Vec<f32>,
    ) -> Panel<'b>
    where
        'a: 'b,
    {
        let values = &self.values[first * self.stride + column..];
        if values.len() >= (count - 1) * self.stride + COLUMNS {
            return Panel::new(values, count, self.stride);
        }
        // The tensor ends within the last row's panel.
        copy.clear();
        for token in first..first + count {
            copy.extend_from_slice(&self.row(token)[column..]);
            copy.resize(copy.len().next_multiple_of(COLUMNS), 0.0);
        }
        Panel::new(copy, count, COLUMNS)
    }
}
