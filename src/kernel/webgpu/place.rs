//! Gradients that are computed where the optimizer wants them.
//!
//! The optimizer takes the gradients of all banks as one row a run. Were each computed into a tensor of its own, gathering
//! them would be a copy, and so a launch, a bank. A product that knows its place writes there, and gathering then finds
//! nothing to do; what comes from elsewhere is copied.

use burn::backend::{
    Backend, Dispatch, Slice, TensorMetadata, backend_extension, ops::FloatTensorOps,
    tensor::FloatTensor,
};
use burn::tensor::{Shape, Tensor};
use burn_cubecl::{CubeBackend, ops::numeric::empty_device_contiguous_dtype, tensor::CubeTensor};
use cubecl::zspace::Strides;

use super::super::{ProductPrecision, product::Form};
use super::product::{product_into, shape_of};

/// Where the gradient of a factor belongs.
#[derive(Debug, Clone)]
pub struct Place {
    /// The gradients of all banks, [K, P], outside autodiff. Nobody reads it before they are gathered.
    pub row: Tensor<2>,
    /// Its first element in each run's row.
    pub start: usize,
}

/// The row [K, 1, P] of `parts`, which lie in it one after the other.
///
/// # Shapes
/// - each of `parts`: [K, ·, ·], outside autodiff
pub fn gather(parts: Vec<Tensor<3>>) -> Tensor<3> {
    let lengths: Vec<usize> = parts
        .iter()
        .map(|part| part.dims()[1] * part.dims()[2])
        .collect();
    let runs = parts[0].dims()[0];
    let length = lengths.iter().sum();
    let mut row = <Dispatch as Places>::row_around(parts[0].clone().into_dispatch(), length);
    let mut start = 0;
    for (part, length) in parts.into_iter().zip(lengths) {
        row = <Dispatch as Places>::put(row, part.into_dispatch(), start);
        start += length;
    }
    Tensor::<2>::from_dispatch(row).reshape([runs, 1, length])
}

/// What a backend must be able to do.
#[backend_extension(Cube, Fusion)]
pub(super) trait Places: Backend {
    /// `leftᵀ · right`, [K, m, n], in `row` from `start` on where the device can write there, else in memory of its own.
    #[fusion(dtype = left, shape = shape_of(left, right, &Form::LeftTransposed))]
    fn product_at(
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        row: FloatTensor<Self>,
        start: usize,
    ) -> FloatTensor<Self>;

    /// The row [K, length] that `first` is the beginning of, or a fresh one.
    #[fusion(dtype = first, shape = row_shape(first, length))]
    fn row_around(first: FloatTensor<Self>, length: usize) -> FloatTensor<Self>;

    /// `row` with `part` from `start` on.
    #[fusion(dtype = row, shape = row)]
    fn put(row: FloatTensor<Self>, part: FloatTensor<Self>, start: usize) -> FloatTensor<Self>;
}

fn row_shape(first: &Shape, length: &usize) -> Shape {
    Shape::new([first[0], *length])
}

impl Places for CubeBackend {
    fn product_at(
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        row: FloatTensor<Self>,
        start: usize,
    ) -> FloatTensor<Self> {
        let form = Form::LeftTransposed;
        let place = part_of(&row, start, shape_of(&left.shape(), &right.shape(), &form));
        product_into(left, right, form, ProductPrecision::Single, place)
    }

    fn row_around(first: FloatTensor<Self>, length: usize) -> FloatTensor<Self> {
        let shape = row_shape(&first.shape(), &length);
        let mut handle = first.handle.clone();
        handle.offset_start = None;
        handle.offset_end = None;
        let row = CubeTensor::new_contiguous(
            first.client.clone(),
            first.device.clone(),
            shape.clone(),
            handle,
            first.dtype,
        );
        if row.handle.size() == bytes(&row, row.shape().num_elements()) && lies_in(&first, &row, 0)
        {
            return row;
        }
        empty_device_contiguous_dtype(first.client, first.device, shape, first.dtype)
    }

    fn put(row: FloatTensor<Self>, part: FloatTensor<Self>, start: usize) -> FloatTensor<Self> {
        if lies_in(&part, &row, start) {
            return row;
        }
        let shape = part.shape();
        let (runs, length) = (shape[0], shape[1] * shape[2]);
        let part = Self::float_reshape(part, Shape::new([runs, length]));
        let place = [Slice::from(0..runs), Slice::from(start..start + length)];
        Self::float_slice_assign(row, &place, part)
    }
}

fn bytes(tensor: &CubeTensor, elements: usize) -> u64 {
    (elements * tensor.dtype.size()) as u64
}

/// The matrices [K, ·, ·] that lie in `row` from `start` on; `None` where no binding of the device may begin or end there.
fn part_of(row: &CubeTensor, start: usize, shape: Shape) -> Option<CubeTensor> {
    let length = row.shape()[1];
    let (rows, columns) = (shape[1], shape[2]);
    let before = bytes(row, start);
    let after = bytes(row, length - start - rows * columns);
    let alignment = row.client.properties().memory.alignment;
    let aligned = before.is_multiple_of(alignment) && after.is_multiple_of(alignment);
    if !aligned || !row.is_contiguous() {
        return None;
    }
    let mut part = CubeTensor::new_contiguous(
        row.client.clone(),
        row.device.clone(),
        shape,
        row.handle.clone().offset_start(before).offset_end(after),
        row.dtype,
    );
    part.meta.strides = Strides::new(&[length, columns, 1]);
    Some(part)
}

/// Whether `part` is what [`part_of`] gives.
fn lies_in(part: &CubeTensor, row: &CubeTensor, start: usize) -> bool {
    let Some(place) = part_of(row, start, part.shape()) else {
        return false;
    };
    let same_memory = std::ptr::eq(
        part.handle.memory.descriptor(),
        row.handle.memory.descriptor(),
    );
    let one_run = part.shape()[0] == 1;
    same_memory
        && part.handle.offset_start.unwrap_or(0) == place.handle.offset_start.unwrap_or(0)
        && part.meta.strides()[1..] == place.meta.strides()[1..]
        && (one_run || part.meta.strides()[0] == place.meta.strides()[0])
}
