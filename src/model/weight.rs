//! A frozen weight, as the engine computes best with it.

use std::ops::Range;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::split::{SplitWeight, ranges};
use crate::kernel::Matrix;
#[cfg(feature = "webgpu")]
use crate::kernel::webgpu::PackedMatrix;
use crate::kernel::{Direction, ProductPrecision, weight_product};
#[cfg(not(feature = "webgpu"))]
use crate::kernel::{few_rows, frozen};
#[cfg(not(feature = "webgpu"))]
use crate::packed::StorageType;

/// A packed matrix where the engine computes with it.
#[cfg(not(feature = "webgpu"))]
type Held = std::sync::Arc<Matrix>;
#[cfg(feature = "webgpu")]
type Held = PackedMatrix;

/// In which form weights are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightForm {
    /// As f32 tensors of the engine.
    Dense,
    /// As the file packs them; on WebGPU all but F32, which is a tensor there too.
    Packed,
}

impl WeightForm {
    /// The form that suits this build: packed in the browser, where memory is short; else dense, because burn's products
    /// are faster natively than ours.
    pub fn of_this_build() -> Self {
        match cfg!(target_arch = "wasm32") {
            true => Self::Packed,
            false => Self::Dense,
        }
    }
}

/// A frozen linear weight or embedding table, [out, in].
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "a model has hundreds of them, of kilobytes at least"
)]
pub enum FrozenWeight {
    /// A tensor of the engine. Pretraining tracks it; the name then says less than the truth.
    Dense(Tensor<2>),
    /// As its file packs it.
    Packed(Held),
    /// In parts, where it is larger than the device takes whole.
    Split(SplitWeight),
}

impl FrozenWeight {
    /// A matrix as it is packed, where the engine can compute with it, else as f32; split where it has more than
    /// `most_bytes` unpacked.
    pub fn packed(matrix: Matrix, most_bytes: Option<usize>, device: &Device) -> Self {
        let ranges = ranges(matrix.outputs(), matrix.inputs(), most_bytes);
        #[cfg(not(feature = "webgpu"))]
        return match ranges.len() {
            1 => Self::Packed(matrix.into()),
            _ => {
                let _ = device;
                let part = |rows: Range<usize>| Self::Packed(matrix.part(rows).into());
                Self::of_parts(ranges.into_iter().map(part).collect())
            }
        };
        #[cfg(feature = "webgpu")]
        {
            let page_rows = ranges[0].len();
            let part = |rows: Range<usize>| match PackedMatrix::new(
                &matrix,
                rows.clone(),
                page_rows,
                device,
            ) {
                Some(held) => Self::Packed(held),
                None => Self::Dense(unpack(&matrix, rows, device)),
            };
            Self::of_parts(ranges.into_iter().map(part).collect())
        }
    }

    /// A tensor of `values`, [out, in], split where it has more than `most_bytes`.
    pub fn dense(
        mut values: Vec<f32>,
        shape: [usize; 2],
        most_bytes: Option<usize>,
        device: &Device,
    ) -> Self {
        let [outputs, inputs] = shape;
        let ranges = ranges(outputs, inputs, most_bytes);
        let tensor = |values, rows: Range<usize>| {
            let data = TensorData::new(values, [rows.len(), inputs]);
            Self::Dense(Tensor::from_data(data, device))
        };
        // From the end, so that what is on the device is no longer here.
        let mut parts: Vec<Self> = ranges
            .into_iter()
            .rev()
            .map(|rows| tensor(values.split_off(rows.start * inputs), rows))
            .collect();
        parts.reverse();
        Self::of_parts(parts)
    }

    fn of_parts(mut parts: Vec<Self>) -> Self {
        match parts.len() {
            1 => parts.swap_remove(0),
            _ => Self::Split(SplitWeight::new(parts)),
        }
    }

    /// The same values in another form; what is packed stays so, for unpacking would gain nothing. On WebGPU what is dense
    /// stays so too.
    pub fn in_form(self, form: WeightForm) -> Self {
        match (self, form) {
            #[cfg(not(feature = "webgpu"))]
            (Self::Dense(weight), WeightForm::Packed) => {
                let shape = weight.dims();
                // The CPU's tensors are at hand: reading them back waits for nothing.
                let values = weight.clone().into_data();
                let bytes = values.iter::<f32>().flat_map(f32::to_le_bytes).collect();
                match Matrix::new(StorageType::F32, shape, bytes) {
                    Some(matrix) => Self::Packed(matrix.into()),
                    None => Self::Dense(weight),
                }
            }
            (weight, _) => weight,
        }
    }

    /// [out, in].
    pub fn dims(&self) -> [usize; 2] {
        match self {
            Self::Dense(weight) => weight.dims(),
            Self::Packed(weight) => [weight.outputs(), weight.inputs()],
            Self::Split(weight) => weight.dims(),
        }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Dense(weight) => weight.dims().iter().product::<usize>() * size_of::<f32>(),
            Self::Packed(weight) => weight.bytes(),
            Self::Split(weight) => weight.parts().iter().map(Self::bytes).sum(),
        }
    }

    /// `x · Wᵀ` or `x · W`. Where the weight is packed, a row's result does not depend on the rows beside it.
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
        match self {
            Self::Dense(weight) => weight_product(x, weight.clone(), direction, precision),
            #[cfg(not(feature = "webgpu"))]
            Self::Packed(weight) => frozen::product(x, weight, direction),
            #[cfg(feature = "webgpu")]
            Self::Packed(weight) => weight.product(x, direction, precision),
            Self::Split(weight) => weight.product(x, direction, precision),
        }
    }

    /// The weight for several products in a row: on WebGPU, where each would unpack it, it is unpacked once for all. What is
    /// split stays packed, so that only a part is ever there in f32.
    pub fn opened(&self) -> Self {
        match self {
            #[cfg(feature = "webgpu")]
            Self::Packed(weight) => Self::Dense(weight.dense()),
            held => held.clone(),
        }
    }

    /// `x · Wᵀ` in a block or for sampling, differentiable in `x`. Few rows may take a way of their own, on which the last
    /// bits are others.
    ///
    /// # Shapes
    /// - `x`: [N, in]
    /// - result: [N, out]
    pub fn forward(&self, x: Tensor<2>, precision: ProductPrecision) -> Tensor<2> {
        match self {
            #[cfg(not(feature = "webgpu"))]
            Self::Packed(weight) if x.dims()[0] <= few_rows::MOST_ROWS => {
                frozen::few_rows_product(x, weight)
            }
            Self::Split(weight) => weight.forward(x, precision),
            _ => self.product(x, Direction::Forward, precision),
        }
    }

    /// The rows that `ids` name.
    ///
    /// # Shapes
    /// - `ids`: [N]
    /// - result: [N, in]
    pub fn select(&self, ids: Tensor<1, Int>) -> Tensor<2> {
        match self {
            Self::Dense(weight) => weight.clone().select(0, ids),
            #[cfg(not(feature = "webgpu"))]
            Self::Packed(weight) => {
                let device = ids.device();
                // The CPU's tensors are at hand: reading them back waits for nothing.
                let ids = ids.into_data();
                let rows = ids.iter::<i64>().map(|id| id as usize);
                unpack(weight, rows, &device)
            }
            #[cfg(feature = "webgpu")]
            Self::Packed(weight) => weight.select(ids),
            Self::Split(weight) => weight.select(ids),
        }
    }

    /// Values of what products unpack at one time; 0 where they read what is held.
    pub fn unpacked_values(&self) -> usize {
        match self {
            #[cfg(feature = "webgpu")]
            Self::Packed(weight) => weight.unpacked_values(),
            Self::Split(weight) => weight.parts().first().map_or(0, Self::unpacked_values),
            _ => 0,
        }
    }

    /// The rows `start .. start + count` as f32.
    pub fn rows(&self, start: usize, count: usize) -> Tensor<2> {
        match self {
            Self::Dense(weight) => weight.clone().narrow(0, start, count),
            #[cfg(not(feature = "webgpu"))]
            Self::Packed(weight) => unpack(weight, start..start + count, &Device::flex()),
            #[cfg(feature = "webgpu")]
            Self::Packed(weight) => weight.rows(start, count),
            Self::Split(weight) => weight.rows(start, count),
        }
    }
}

/// Some rows of a packed weight.
fn unpack(weight: &Matrix, rows: impl Iterator<Item = usize>, device: &Device) -> Tensor<2> {
    let inputs = weight.inputs();
    let rows: Vec<usize> = rows.collect();
    let mut values = vec![0.0; rows.len() * inputs];
    for (row, values) in rows.iter().zip(values.chunks_exact_mut(inputs)) {
        weight.read(*row, 0, values);
    }
    let data = TensorData::new(values, [rows.len(), inputs]);
    Tensor::from_data(data, device)
}

impl From<Tensor<2>> for FrozenWeight {
    fn from(weight: Tensor<2>) -> Self {
        Self::Dense(weight)
    }
}
