//! Where the factors of all banks lie in one row a run.
//!
//! An optimizer that took factor by factor would launch everything it does for each of them, and on a GPU a launch costs
//! more than its work. So it takes one row of all `lora_a` and one of all `lora_b`, [K, 1, P]: what is done element by element is done
//! once, and matrix products are batched over banks that lie side by side because they have the same shape.

use std::cmp::Reverse;

use burn::tensor::Tensor;

use crate::model::Bank;

/// The two factors of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// `lora_a`, [r, in].
    A,
    /// `lora_b`, [out, r].
    B,
}

/// Something of each factor.
#[derive(Debug, Clone)]
pub struct Both<T> {
    /// Of all `lora_a`.
    pub a: T,
    /// Of all `lora_b`.
    pub b: T,
}

impl<T> Both<T> {
    /// The one of `factor`.
    pub fn of(&self, factor: Factor) -> &T {
        match factor {
            Factor::A => &self.a,
            Factor::B => &self.b,
        }
    }
}

/// Banks side by side whose factor has one shape.
#[derive(Debug, Clone, PartialEq)]
struct Group {
    /// in or out.
    width: usize,
    /// Number of banks.
    banks: usize,
}

/// The order of banks in a row.
#[derive(Debug, Clone)]
pub struct BankLayout {
    rank: usize,
    /// Banks, counted block by block, in the order in which they lie.
    order: Vec<usize>,
    groups: Both<Vec<Group>>,
}

impl BankLayout {
    /// For banks of these channels in and out, block by block.
    pub fn new(rank: usize, shapes: &[(usize, usize)]) -> Self {
        let mut classes = shapes.to_vec();
        classes.sort_unstable_by_key(|&(inputs, outputs)| (Reverse(inputs), outputs));
        classes.dedup();
        let mut order = Vec::new();
        let mut last_outputs = 0;
        while let Some(&(inputs, _)) = classes.first() {
            // Neighbours share the channels in, and where one ends and the next begins the channels out, so that both
            // factors fall into few groups.
            let next = (inputs, last_outputs);
            let index = classes.iter().position(|class| *class == next).unwrap_or(0);
            let class = classes.remove(index);
            last_outputs = class.1;
            order.extend((0..shapes.len()).filter(|&bank| shapes[bank] == class));
        }
        let widths = |of: fn(&(usize, usize)) -> usize| -> Vec<Group> {
            let widths: Vec<usize> = order.iter().map(|&bank| of(&shapes[bank])).collect();
            let runs = widths.chunk_by(|one, other| one == other);
            runs.map(|run| Group {
                width: run[0],
                banks: run.len(),
            })
            .collect()
        };
        Self {
            rank,
            groups: Both {
                a: widths(|shape| shape.0),
                b: widths(|shape| shape.1),
            },
            order,
        }
    }

    /// Number of banks M.
    pub fn banks(&self) -> usize {
        self.order.len()
    }

    /// Of each place in a row the bank that lies there, counted block by block.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    fn groups_of(&self, factor: Factor) -> &[Group] {
        match factor {
            Factor::A => &self.groups.a,
            Factor::B => &self.groups.b,
        }
    }

    /// The matrices of a row, group by group.
    ///
    /// # Shapes
    /// - `row`: [K, 1, P]
    /// - result: [K, m, r, in] each, or [K, m, out, r]
    pub fn groups(&self, factor: Factor, row: &Tensor<3>) -> Vec<Tensor<4>> {
        let [runs, _, length] = row.dims();
        let row = row.clone().reshape([runs, length]);
        let mut start = 0;
        self.groups_of(factor)
            .iter()
            .map(|&Group { width, banks }| {
                let length = banks * self.rank * width;
                let part = row.clone().narrow(1, start, length);
                start += length;
                match factor {
                    Factor::A => part.reshape([runs, banks, self.rank, width]),
                    Factor::B => part.reshape([runs, banks, width, self.rank]),
                }
            })
            .collect()
    }

    /// The part of [K, M, ·, ·] that belongs to each group.
    pub fn split(&self, factor: Factor, matrices: &Tensor<4>) -> Vec<Tensor<4>> {
        let mut first = 0;
        self.groups_of(factor)
            .iter()
            .map(|group| {
                first += group.banks;
                matrices.clone().narrow(1, first - group.banks, group.banks)
            })
            .collect()
    }

    /// The row that [`BankLayout::groups`] would take apart into these.
    pub fn row(groups: Vec<Tensor<4>>) -> Tensor<3> {
        let parts = groups.into_iter().map(|group| {
            let [runs, banks, rows, columns] = group.dims();
            group.reshape([runs, 1, banks * rows * columns])
        });
        joined(parts.collect())
    }

    /// One tensor a bank, block by block, as a row.
    ///
    /// # Shapes
    /// - each of `banks`: [K, r, in] or [K, out, r]
    /// - result: [K, 1, P]
    pub fn gather(&self, banks: &[Tensor<3>]) -> Tensor<3> {
        let parts = self.order.iter().map(|&bank| banks[bank].clone());
        #[cfg(feature = "webgpu")]
        return crate::kernel::webgpu::gather(parts.collect());
        #[cfg(not(feature = "webgpu"))]
        joined(
            parts
                .map(|part| {
                    let [runs, rows, columns] = part.dims();
                    part.reshape([runs, 1, rows * columns])
                })
                .collect(),
        )
    }

    /// Where the gradients of each bank belong.
    #[cfg(feature = "webgpu")]
    pub fn gradient_places(&self) -> crate::model::adapters::GradientPlaces {
        let mut starts = vec![[0; 2]; self.order.len()];
        let mut lengths = [0; 2];
        for (index, groups) in [&self.groups.a, &self.groups.b].into_iter().enumerate() {
            let widths = groups
                .iter()
                .flat_map(|group| std::iter::repeat_n(group.width, group.banks));
            for (&bank, width) in self.order.iter().zip(widths) {
                starts[bank][index] = lengths[index];
                lengths[index] += self.rank * width;
            }
        }
        crate::model::adapters::GradientPlaces {
            starts: starts.into(),
            lengths,
            rows: None,
        }
    }

    /// The tensors of a row, block by block.
    ///
    /// # Shapes
    /// - `row`: [K, 1, P]
    /// - result: [K, r, in] each, or [K, out, r]
    pub fn scatter(&self, factor: Factor, row: &Tensor<3>) -> Vec<Tensor<3>> {
        let [runs, _, length] = row.dims();
        let row = row.clone().reshape([runs, length]);
        let widths = self
            .groups_of(factor)
            .iter()
            .flat_map(|group| std::iter::repeat_n(group.width, group.banks));
        let mut start = 0;
        let mut parts: Vec<(usize, Tensor<3>)> = self
            .order
            .iter()
            .zip(widths)
            .map(|(&bank, width)| {
                let length = self.rank * width;
                let part = row.clone().narrow(1, start, length);
                start += length;
                let part = match factor {
                    Factor::A => part.reshape([runs, self.rank, width]),
                    Factor::B => part.reshape([runs, width, self.rank]),
                };
                (bank, part)
            })
            .collect();
        parts.sort_unstable_by_key(|&(bank, _)| bank);
        parts.into_iter().map(|(_, part)| part).collect()
    }

    /// Both rows as banks, block by block.
    pub fn scatter_both(&self, rows: &Both<Tensor<3>>) -> Vec<Bank> {
        let a = self.scatter(Factor::A, &rows.a);
        let b = self.scatter(Factor::B, &rows.b);
        a.into_iter().zip(b).map(|(a, b)| Bank { a, b }).collect()
    }

    /// Banks, block by block, as rows.
    pub fn gather_both<'a>(&self, banks: impl IntoIterator<Item = &'a Bank>) -> Both<Tensor<3>> {
        let (a, b): (Vec<_>, Vec<_>) = banks
            .into_iter()
            .map(|bank| (bank.a.clone(), bank.b.clone()))
            .unzip();
        Both {
            a: self.gather(&a),
            b: self.gather(&b),
        }
    }

    /// A value of each bank, [K, 1, 1], at every element of a row.
    ///
    /// # Shapes
    /// - result: [K, 1, P]
    pub fn spread(&self, factor: Factor, of_bank: impl Fn(usize) -> Tensor<3>) -> Tensor<3> {
        let widths = self
            .groups_of(factor)
            .iter()
            .flat_map(|group| std::iter::repeat_n(group.width, group.banks));
        let parts = self.order.iter().zip(widths).map(|(&bank, width)| {
            let value = of_bank(bank);
            let runs = value.dims()[0];
            value.expand([runs, 1, self.rank * width])
        });
        joined(parts.collect())
    }
}

/// Tensors one after the other in their last dimension.
fn joined(mut parts: Vec<Tensor<3>>) -> Tensor<3> {
    match parts.len() {
        // Nothing to join, so nothing to copy.
        1 => parts.remove(0),
        _ => Tensor::cat(parts, 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(shapes: &[(usize, usize)]) -> [Vec<(usize, usize)>; 2] {
        let layout = BankLayout::new(8, shapes);
        [layout.groups.a, layout.groups.b]
            .map(|groups| groups.iter().map(|g| (g.width, g.banks)).collect())
    }

    /// q, k, v, o, gate, up, down.
    const SMOLLM2: [(usize, usize); 7] = [
        (576, 576),
        (576, 192),
        (576, 192),
        (576, 576),
        (576, 1536),
        (576, 1536),
        (1536, 576),
    ];

    #[test]
    fn smollm2_has_five_groups_however_many_blocks() {
        for blocks in [1, 30] {
            let [a, b] = groups(&SMOLLM2.repeat(blocks));
            assert_eq!(a, [(1536, blocks), (576, 6 * blocks)]);
            assert_eq!(
                b,
                [(576, 3 * blocks), (192, 2 * blocks), (1536, 2 * blocks)]
            );
        }
    }

    #[test]
    fn banks_of_one_shape_are_one_group() {
        let [a, b] = groups(&[(4, 4); 3]);
        assert_eq!((a, b), (vec![(4, 3)], vec![(4, 3)]));
    }
}
