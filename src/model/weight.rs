//! A frozen weight, as the engine computes best with it.

use burn::tensor::{Device, Int, Tensor};

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
    /// As the file packs them; on WebGPU those that its shaders read, which are F16, Q4_0, Q4_1 and Q8_0.
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
}

impl FrozenWeight {
    /// A matrix as it is packed, where the engine can compute with it, else as f32.
    pub fn packed(matrix: Matrix, device: &Device) -> Self {
        #[cfg(not(feature = "webgpu"))]
        let _ = device;
        #[cfg(not(feature = "webgpu"))]
        return Self::Packed(matrix.into());
        #[cfg(feature = "webgpu")]
        match PackedMatrix::new(&matrix, device) {
            Some(held) => Self::Packed(held),
            None => Self::Dense(unpack(&matrix, 0..matrix.outputs(), device)),
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
        }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Dense(weight) => weight.dims().iter().product::<usize>() * size_of::<f32>(),
            Self::Packed(weight) => weight.bytes(),
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
        }
    }

    /// The weight for several products in a row: on WebGPU, where each would unpack it, it is unpacked once for all.
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
    let data = burn::tensor::TensorData::new(values, [rows.len(), inputs]);
    Tensor::from_data(data, device)
}

impl From<Tensor<2>> for FrozenWeight {
    fn from(weight: Tensor<2>) -> Self {
        Self::Dense(weight)
    }
}
