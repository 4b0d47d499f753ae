//! Frozen matrices that stay in GPU memory as their file packs them.
//!
//! A product unpacks the matrix just before it is taken, into memory that is free again right after, so that only the
//! largest matrix is ever there in f32. The backward step keeps the packed one.

use std::ops::Range;

use burn::backend::{
    Autodiff, Dispatch,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind, unary},
    },
    backend_extension,
    tensor::{FloatTensor, IntTensor},
};
use burn::tensor::{DType, Device, Int, Shape, Tensor, TensorData};
use burn_cubecl::{
    CubeBackend, kernel::into_contiguous, ops::numeric::empty_device_contiguous_dtype,
    tensor::CubeTensor,
};
use cubecl::{calculate_cube_count_elemwise, prelude::*};

use super::super::{Direction, Matrix, ProductPrecision};
use super::element::{element, is_known};
use super::product::Product;
use super::room::{first_rows, lasting};
use crate::packed::StorageType;

/// A matrix [outputs, inputs] in GPU memory.
#[derive(Debug, Clone)]
pub struct PackedMatrix {
    words: Tensor<1, Int>,
    packing: Packing,
}

/// What is in the words of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Packing {
    storage: StorageType,
    outputs: usize,
    inputs: usize,
    page_rows: usize,
}

impl PackedMatrix {
    /// `rows` of `matrix` on `device`; `None` where no shader reads its storage type.
    ///
    /// `page_rows`, at least as many, are what memory for the unpacked rows is made for: parts of one matrix share it where
    /// they agree about them.
    ///
    /// # Panics
    /// If the matrix has no such rows.
    pub fn new(
        matrix: &Matrix,
        rows: Range<usize>,
        page_rows: usize,
        device: &Device,
    ) -> Option<Self> {
        let storage = matrix.storage();
        if !is_known(storage) {
            return None;
        }
        let (outputs, inputs) = (rows.len(), matrix.inputs());
        // The last word is filled up with zeros.
        let words: Vec<i32> = bytemuck::pod_collect_to_vec(matrix.packed_rows(rows));
        let count = words.len();
        Some(Self {
            words: Tensor::from_data(TensorData::new(words, [count]), device),
            packing: Packing {
                storage,
                outputs,
                inputs,
                page_rows,
            },
        })
    }

    /// Rows, out.
    pub fn outputs(&self) -> usize {
        self.packing.outputs
    }

    /// Columns, in.
    pub fn inputs(&self) -> usize {
        self.packing.inputs
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.words.dims()[0] * size_of::<i32>()
    }

    /// Values that it takes unpacked.
    pub fn unpacked_values(&self) -> usize {
        self.packing.page_rows * self.packing.inputs
    }

    /// The whole matrix as f32, [out, in].
    pub fn dense(&self) -> Tensor<2> {
        let words = self.words.clone().into_dispatch();
        Tensor::from_dispatch(<Dispatch as Packed>::unpack(words, self.packing))
    }

    /// `x · Wᵀ` or `x · W`, differentiable in `x`.
    ///
    /// # Shapes
    /// - `x`: [N, in] forward, [N, out] backward
    /// - result: [N, out] forward, [N, in] backward
    pub fn product(
        &self,
        x: Tensor<2>,
        direction: Direction,
        precision: ProductPrecision,
    ) -> Tensor<2> {
        let (x, words) = (x.into_dispatch(), self.words.clone().into_dispatch());
        Tensor::from_dispatch(<Dispatch as Packed>::packed_product(
            x,
            words,
            self.packing,
            direction,
            precision,
        ))
    }

    /// The rows that `ids` name, as f32.
    ///
    /// # Shapes
    /// - `ids`: [N], each below the matrix's rows
    /// - result: [N, in]
    pub fn select(&self, ids: Tensor<1, Int>) -> Tensor<2> {
        let (words, ids) = (self.words.clone().into_dispatch(), ids.into_dispatch());
        Tensor::from_dispatch(<Dispatch as Packed>::unpack_rows(words, ids, self.packing))
    }

    /// The rows `start .. start + count`, as f32.
    pub fn rows(&self, start: usize, count: usize) -> Tensor<2> {
        let ids = start as i64..(start + count) as i64;
        self.select(Tensor::arange(ids, &self.words.device()))
    }
}

/// What a backend must be able to do.
#[backend_extension(Cube, Fusion, Autodiff)]
trait Packed: Product {
    /// The whole matrix as f32, [out, in].
    #[fusion(dtype = DType::F32, shape = Shape::new([packing.outputs, packing.inputs]))]
    fn unpack(words: IntTensor<Self>, packing: Packing) -> FloatTensor<Self>;

    /// The rows that `ids` name as f32, [N, in].
    #[fusion(dtype = DType::F32, shape = Shape::new([ids[0], packing.inputs]))]
    fn unpack_rows(
        words: IntTensor<Self>,
        ids: IntTensor<Self>,
        packing: Packing,
    ) -> FloatTensor<Self>;

    /// As [`PackedMatrix::product`].
    #[fusion(default)]
    fn packed_product(
        x: FloatTensor<Self>,
        words: IntTensor<Self>,
        packing: Packing,
        direction: Direction,
        precision: ProductPrecision,
    ) -> FloatTensor<Self> {
        Self::product(x, Self::unpack(words, packing), direction.form(), precision)
    }
}

impl Packed for CubeBackend {
    fn unpack(words: IntTensor<Self>, packing: Packing) -> FloatTensor<Self> {
        let page = Shape::new([packing.page_rows, packing.inputs]);
        let result = first_rows(lasting(&words, page, DType::F32), packing.outputs);
        let (elements, cubes, threads) = launch_over(&result);
        // SAFETY: no thread touches another one's element, and the words hold as many as the matrix has.
        unsafe {
            unpack_all::launch_unchecked(
                &result.client,
                cubes,
                threads,
                words.into_buffer_arg(),
                result.clone().into_buffer_arg(),
                elements,
                packing.storage,
            );
        }
        result
    }

    fn unpack_rows(
        words: IntTensor<Self>,
        ids: IntTensor<Self>,
        packing: Packing,
    ) -> FloatTensor<Self> {
        let ids = into_contiguous(ids);
        let shape = Shape::new([ids.meta.shape()[0], packing.inputs]);
        let (client, device) = (words.client.clone(), words.device.clone());
        let result = empty_device_contiguous_dtype(client, device, shape, DType::F32);
        let (elements, cubes, threads) = launch_over(&result);
        // SAFETY: as above; the caller's ids are below the matrix's rows, as burn's own selection has it.
        unsafe {
            unpack_some::launch_unchecked(
                &result.client,
                cubes,
                threads,
                words.into_buffer_arg(),
                ids.into_buffer_arg(),
                result.clone().into_buffer_arg(),
                elements,
                packing.inputs,
                packing.storage,
            );
        }
        result
    }
}

/// How many elements `result` has, and a launch with a thread for each of them.
fn launch_over(result: &CubeTensor) -> (usize, CubeCount, CubeDim) {
    let elements = result.meta.shape().num_elements();
    let threads = CubeDim::new(&result.client, elements);
    let cubes = calculate_cube_count_elemwise(&result.client, elements, threads);
    (elements, cubes, threads)
}

impl<B: Packed, C: CheckpointStrategy> Packed for Autodiff<B, C> {
    fn unpack(words: IntTensor<Self>, packing: Packing) -> FloatTensor<Self> {
        FloatTensor::<Self>::new(B::unpack(words, packing))
    }

    fn unpack_rows(
        words: IntTensor<Self>,
        ids: IntTensor<Self>,
        packing: Packing,
    ) -> FloatTensor<Self> {
        FloatTensor::<Self>::new(B::unpack_rows(words, ids, packing))
    }

    fn packed_product(
        x: FloatTensor<Self>,
        words: IntTensor<Self>,
        packing: Packing,
        direction: Direction,
        precision: ProductPrecision,
    ) -> FloatTensor<Self> {
        let nodes = [x.node()];
        let result = B::packed_product(
            x.into_primitive(),
            words.clone(),
            packing,
            direction,
            precision,
        );
        match Step.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((words, packing, direction), result),
            OpsKind::UnTracked(step) => step.finish(result),
        }
    }
}

/// The gradient takes the matrix the other way round.
#[derive(Debug)]
struct Step;

impl<B: Packed> Backward<B, 1> for Step {
    type State = (IntTensor<B>, Packing, Direction);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (words, packing, direction) = ops.state;
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| {
            B::packed_product(
                gradient,
                words,
                packing,
                direction.reverse(),
                ProductPrecision::Single,
            )
        });
    }
}

#[cube(launch_unchecked)]
fn unpack_all(
    words: &[u32],
    result: &mut [f32],
    elements: usize,
    #[comptime] storage: StorageType,
) {
    let place = ABSOLUTE_POS;
    if place < elements {
        result[place] = element(words, place, storage);
    }
}

#[cube(launch_unchecked)]
fn unpack_some(
    words: &[u32],
    ids: &[u32],
    result: &mut [f32],
    elements: usize,
    inputs: usize,
    #[comptime] storage: StorageType,
) {
    let place = ABSOLUTE_POS;
    if place < elements {
        let row = ids[place / inputs] as usize;
        result[place] = element(words, row * inputs + place % inputs, storage);
    }
}
