//! Tensors of the CPU engine as slices, and back.

use burn::backend::{Flex, ops::FloatTensorOps, tensor::FloatTensor};
use burn::tensor::TensorData;

/// The tensor with its elements in order.
pub fn contiguous(tensor: FloatTensor<Flex>) -> FloatTensor<Flex> {
    match tensor.is_contiguous() {
        true => tensor,
        false => tensor.to_contiguous(),
    }
}

/// The elements of a contiguous tensor.
pub fn values(tensor: &FloatTensor<Flex>) -> &[f32] {
    let layout = tensor.layout();
    let start = layout.start_offset();
    &tensor.storage::<f32>()[start..start + layout.num_elements()]
}

/// As [`values`], to be changed; copied first where another tensor holds them too.
pub fn values_mut(tensor: &mut FloatTensor<Flex>) -> &mut [f32] {
    let layout = tensor.layout();
    let (start, count) = (layout.start_offset(), layout.num_elements());
    &mut tensor.storage_mut::<f32>()[start..start + count]
}

/// A tensor of these elements.
pub fn tensor(values: Vec<f32>, shape: impl Into<burn::tensor::Shape>) -> FloatTensor<Flex> {
    Flex::float_from_data(TensorData::new(values, shape), &Default::default())
}
