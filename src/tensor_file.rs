//! Named tensors as a safetensors file, and back: what adapters and checkpoints are kept in. Written as F32; adapters of
//! others may be F16 or BF16.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData, Transaction};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::engine::EngineError;
use crate::load::source::{IS_LFS_POINTER, LFS_POINTER};
use crate::packed::floats;

/// Why tensors cannot be written or read back.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TensorFileError {
    /// Bytes that are no such file.
    #[error("{0}")]
    Malformed(String),
    /// A tensor that is not there.
    #[error("{0} is missing; use a file that was made with the same base")]
    Missing(String),
    /// A tensor of another type or shape.
    #[error("{name} is {found}, and this base with these settings needs {needed}")]
    Unfit {
        /// Its name.
        name: String,
        /// Its type or shape.
        found: String,
        /// What fits.
        needed: String,
    },
    /// A value that is no number or is infinite.
    #[error(
        "{name} has the value {value}, as a training that diverged leaves it; use another file"
    )]
    NotFinite {
        /// The tensor's name.
        name: String,
        /// The first such value.
        value: f32,
    },
    /// A device that failed.
    #[error(transparent)]
    Device(#[from] EngineError),
}

fn malformed(error: impl ToString) -> TensorFileError {
    TensorFileError::Malformed(error.to_string())
}

/// Reads all tensors back from the device, at once, and writes them with one entry of metadata.
///
/// # Errors
/// A device that failed.
pub async fn write<const D: usize>(
    tensors: impl IntoIterator<Item = (String, Tensor<D>)>,
    (key, value): (&str, String),
) -> Result<Vec<u8>, TensorFileError> {
    let mut entries = Vec::new();
    let mut transaction = Transaction::default();
    for (name, tensor) in tensors {
        entries.push((name, tensor.dims().to_vec()));
        transaction = transaction.register(tensor);
    }
    let data = transaction
        .execute_async()
        .await
        .map_err(EngineError::from)?;
    let bytes: Vec<Vec<u8>> = data
        .iter()
        .map(|data| data.iter::<f32>().flat_map(f32::to_le_bytes).collect())
        .collect();
    let views = entries
        .into_iter()
        .zip(&bytes)
        .map(|((name, shape), bytes)| {
            let view = TensorView::new(Dtype::F32, shape, bytes).map_err(malformed)?;
            Ok((name, view))
        })
        .collect::<Result<Vec<_>, TensorFileError>>()?;
    let metadata = HashMap::from([(key.to_owned(), value)]);
    safetensors::serialize(views, Some(metadata)).map_err(malformed)
}

/// The value of a metadata entry; `None` where the file has none of this name.
///
/// # Errors
/// Bytes that are no such file.
pub fn read_metadata(bytes: &[u8], key: &str) -> Result<Option<String>, TensorFileError> {
    if bytes.starts_with(LFS_POINTER) {
        return Err(malformed(IS_LFS_POINTER));
    }
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(malformed)?;
    let entries = metadata.metadata().as_ref();
    Ok(entries.and_then(|entries| entries.get(key)).cloned())
}

/// A file that is open for reading.
pub struct TensorFile<'a>(SafeTensors<'a>);

impl<'a> TensorFile<'a> {
    /// Checks the file's header.
    ///
    /// # Errors
    /// Bytes that are no such file.
    pub fn open(bytes: &'a [u8]) -> Result<Self, TensorFileError> {
        if bytes.starts_with(LFS_POINTER) {
            return Err(malformed(IS_LFS_POINTER));
        }
        SafeTensors::deserialize(bytes).map(Self).map_err(malformed)
    }

    /// The tensor called `name`, which must have this shape.
    ///
    /// # Errors
    /// A tensor that is missing, or that has another type or shape.
    pub fn tensor<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        device: &Device,
    ) -> Result<Tensor<D>, TensorFileError> {
        let (found, values) = self.floats(name)?;
        if found != shape {
            return Err(TensorFileError::Unfit {
                name: name.to_owned(),
                found: format!("{found:?}"),
                needed: format!("{shape:?}"),
            });
        }
        Ok(Tensor::from_data(TensorData::new(values, shape), device))
    }

    /// Checks that all values of the tensor called `name` are finite.
    ///
    /// # Errors
    /// As of [`Self::floats`], or a value that is not finite.
    pub fn check_finite(&self, name: &str) -> Result<(), TensorFileError> {
        let (_, values) = self.floats(name)?;
        match values.into_iter().find(|value| !value.is_finite()) {
            None => Ok(()),
            Some(value) => Err(TensorFileError::NotFinite {
                name: name.to_owned(),
                value,
            }),
        }
    }

    /// The shape of the tensor called `name`, and its values.
    ///
    /// # Errors
    /// A tensor that is missing, or whose type is no float.
    pub fn floats(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), TensorFileError> {
        let view = self
            .0
            .tensor(name)
            .map_err(|_| TensorFileError::Missing(name.to_owned()))?;
        let dequantise: fn(&[u8], &mut [f32]) = match view.dtype() {
            Dtype::F32 => floats::f32,
            Dtype::F16 => floats::f16,
            Dtype::BF16 => floats::bf16,
            other => {
                return Err(TensorFileError::Unfit {
                    name: name.to_owned(),
                    found: format!("{other:?}"),
                    needed: "F32, F16 or BF16".to_owned(),
                });
            }
        };
        let mut values = vec![0.0; view.shape().iter().product()];
        dequantise(view.data(), &mut values);
        Ok((view.shape().to_vec(), values))
    }

    /// Names of all tensors, in order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.names();
        names.sort_unstable();
        names
    }
}
