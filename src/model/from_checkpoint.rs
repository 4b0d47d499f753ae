//! A checkpoint's tensors to a base on a device.

use burn::tensor::{Device, Tensor, TensorData};

use super::{Base, Checkpoint, FrozenWeight, Held, WeightForm, walk::Role};
use crate::kernel::{Matrix, most_bytes};
use crate::load::{LoadError, Source, TensorInfo};

impl Base {
    /// Reads all weights, one tensor at a time, into the form that suits this build.
    ///
    /// `on_progress` gets bytes read and bytes in all after each tensor; when it returns false,
    /// loading ends.
    ///
    /// # Errors
    /// A tensor that cannot be read, or loading that was ended.
    pub async fn load<S: Source>(
        checkpoint: &Checkpoint<S>,
        device: &Device,
        on_progress: impl FnMut(u64, u64) -> bool,
    ) -> Result<Self, LoadError> {
        let form = WeightForm::of_this_build();
        Self::load_as(form, most_bytes(), checkpoint, device, on_progress).await
    }

    /// As [`Base::load`], with the linear weights and tables in the form that is asked for, in parts of at most `most_bytes`
    /// as f32.
    ///
    /// # Errors
    /// As [`Base::load`].
    pub async fn load_as<S: Source>(
        form: WeightForm,
        most_bytes: Option<usize>,
        checkpoint: &Checkpoint<S>,
        device: &Device,
        mut on_progress: impl FnMut(u64, u64) -> bool,
    ) -> Result<Self, LoadError> {
        let total = checkpoint.tensors().iter().map(|info| info.bytes).sum();
        let mut done = 0;
        let mut weights = Vec::with_capacity(checkpoint.tensors().len());
        for (info, role) in checkpoint.weights() {
            weights.push(read((form, most_bytes), checkpoint, info, role, device).await?);
            done += info.bytes;
            if !on_progress(done, total) {
                return Err(LoadError::new(checkpoint.name(), "loading was cancelled"));
            }
        }
        let model = Self::assemble(checkpoint.config().clone(), device, weights)
            .map_err(|error| LoadError::new(checkpoint.name(), error.to_string()))?;
        Ok(Self {
            most_bytes,
            ..model
        })
    }
}

async fn read<S: Source>(
    (form, most_bytes): (WeightForm, Option<usize>),
    checkpoint: &Checkpoint<S>,
    info: &TensorInfo,
    role: Role,
    device: &Device,
) -> Result<Held, LoadError> {
    let name = &info.name;
    // Positions are added a stretch at a time, and not looked up.
    if form == WeightForm::Packed
        && role != Role::Positions
        && let Some(packed) = checkpoint.packed(name).await?
    {
        let matrix = Matrix::new(packed.storage, packed.shape, packed.bytes).ok_or_else(|| {
            LoadError::new(checkpoint.name(), format!("tensor {name} is incomplete"))
        })?;
        let weight = FrozenWeight::packed(matrix, most_bytes, device);
        return Ok(Held::Matrix(weight));
    }
    let host = checkpoint.tensor(name).await?;
    Ok(match host.shape[..] {
        [outputs, inputs] => Held::Matrix(FrozenWeight::dense(
            host.values,
            [outputs, inputs],
            most_bytes,
            device,
        )),
        _ => Held::Vector(Tensor::from_data(
            TensorData::new(host.values, host.shape),
            device,
        )),
    })
}
