//! A weight of the model: what its file says about it, and its values.

use super::{error::LoadError, quoted, source::Source};
use crate::packed::StorageType;

/// What a checkpoint says about one tensor, without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Hugging Face name, such as `model.layers.0.self_attn.q_proj.weight`.
    pub name: String,
    /// Shape as torch has it: `[out, in]` of a linear layer, `[V, C]` of the embedding table, `[C]` of a norm.
    pub shape: Vec<usize>,
    /// How the values are stored.
    pub storage: StorageType,
    /// Size in the file, in bytes.
    pub bytes: u64,
}

impl TensorInfo {
    /// Number of values.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The values of a tensor in main memory.
#[derive(Debug, Clone, PartialEq)]
pub struct HostTensor {
    /// Shape as torch has it.
    pub shape: Vec<usize>,
    /// Values in row-major order, dequantised, in Hugging Face's order of rows.
    pub values: Vec<f32>,
}

/// A matrix as its file packs it, in main memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedTensor {
    /// Rows and columns as torch has them.
    pub shape: [usize; 2],
    /// How the values are stored.
    pub storage: StorageType,
    /// Whole rows, in Hugging Face's order of rows.
    pub bytes: Vec<u8>,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct StoredTensors {
    /// Tensors that can be read.
    pub readable: Vec<StoredTensor>,
    /// Those that cannot, which is a mistake only where the model needs them.
    pub unreadable: Vec<UnreadableTensor>,
}

/// A tensor of a type or shape that is not read.
#[derive(Debug)]
pub(crate) struct UnreadableTensor {
    /// Name in the file.
    pub name: String,
    /// What is said where the model needs it.
    pub why: LoadError,
    /// Whether no weight is kept like this: whole numbers and truth values, a single number, or nothing at all.
    pub is_no_weight: bool,
}

impl StoredTensors {
    /// Adds a tensor of `dimensions` as torch has them, from byte `offset` of `source`, which is file number `file`.
    /// `storage` is its type, or the name of a type that is not read with the words for what is.
    ///
    /// # Errors
    /// As [`StoredTensor::new`].
    pub fn add<S: Source>(
        &mut self,
        source: &S,
        file: usize,
        name: String,
        dimensions: &[u64],
        storage: Result<StorageType, UnreadType>,
        offset: u64,
    ) -> Result<(), LoadError> {
        let (problem, is_no_weight) = match &storage {
            Err(unread) => (
                format!(
                    "is {}, which is not supported; use {}",
                    unread.name, unread.known
                ),
                unread.holds_integers || dimensions.is_empty() || dimensions.contains(&0),
            ),
            Ok(_) if dimensions.is_empty() => ("has no dimensions".to_owned(), true),
            Ok(_) if dimensions.contains(&0) => (
                format!("has shape {dimensions:?}, which holds nothing"),
                true,
            ),
            &Ok(storage) => {
                let tensor = StoredTensor::new(source, file, name, dimensions, storage, offset)?;
                self.readable.push(tensor);
                return Ok(());
            }
        };
        self.unreadable.push(UnreadableTensor {
            why: LoadError::new(
                source.name(),
                format!("tensor {} {problem}", quoted::text(&name)),
            ),
            name,
            is_no_weight,
        });
        Ok(())
    }

    /// Adds what another file holds.
    pub fn append(&mut self, mut other: Self) {
        self.readable.append(&mut other.readable);
        self.unreadable.append(&mut other.unreadable);
    }

    /// The names of all, to change them.
    pub fn names_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let readable = self.readable.iter_mut().map(|tensor| &mut tensor.name);
        readable.chain(self.unreadable.iter_mut().map(|tensor| &mut tensor.name))
    }
}

/// A type of values that is not read.
#[derive(Debug)]
pub(crate) struct UnreadType {
    /// What the format calls it.
    pub name: String,
    /// The types that are read.
    pub known: &'static str,
    /// Whether it is one of whole numbers or truth values.
    pub holds_integers: bool,
}

/// A tensor as the reader of a format found it.
#[derive(Debug, Clone)]
pub(crate) struct StoredTensor {
    /// Name in the file.
    pub name: String,
    /// Shape as torch has it.
    pub shape: Vec<usize>,
    /// How the values are stored.
    pub storage: StorageType,
    /// Which of the checkpoint's files holds it.
    pub file: usize,
    /// Position of the first byte in that file.
    pub offset: u64,
    /// Size in bytes; the whole range lies inside the file.
    pub bytes: u64,
}

impl StoredTensor {
    /// A tensor of `dimensions` as torch has them, from byte `offset` of `source`, which is file number `file`.
    ///
    /// # Errors
    /// A dimension of zero, a row that is no whole number of blocks, more values than fit in memory, or a range that
    /// leaves the file.
    pub fn new<S: Source>(
        source: &S,
        file: usize,
        name: String,
        dimensions: &[u64],
        storage: StorageType,
        offset: u64,
    ) -> Result<Self, LoadError> {
        let wrong = |problem: String| {
            let tensor = quoted::text(&name);
            LoadError::new(source.name(), format!("tensor {tensor} {problem}"))
        };
        let Some((&row_values, outer)) = dimensions.split_last() else {
            return Err(wrong("has no dimensions".to_owned()));
        };
        if dimensions.contains(&0) {
            return Err(wrong(format!(
                "has shape {dimensions:?}, which holds nothing"
            )));
        }
        let block = storage.block_values();
        if !row_values.is_multiple_of(block as u64) {
            return Err(wrong(format!(
                "has rows of {row_values} values, and {storage} stores them in blocks of {block}"
            )));
        }
        let rows = outer
            .iter()
            .try_fold(1u64, |product, &size| product.checked_mul(size));
        let bytes = rows.and_then(|rows| rows.checked_mul(storage.row_bytes(row_values)?));
        let memory = rows
            .and_then(|rows| {
                rows.checked_mul(row_values)?
                    .checked_mul(size_of::<f32>() as u64)
            })
            .filter(|&memory| isize::try_from(memory).is_ok());
        let (Some(bytes), Some(_)) = (bytes, memory) else {
            return Err(wrong(format!(
                "has shape {dimensions:?}, which is more than fits in memory"
            )));
        };
        if offset
            .checked_add(bytes)
            .is_none_or(|end| end > source.len())
        {
            let length = source.len();
            return Err(wrong(format!(
                "takes {bytes} bytes from byte {offset}, but the file ends at byte {length}; it may be cut off"
            )));
        }
        // Every dimension is at least 1 and their product fits, so each of them does.
        let shape = dimensions.iter().map(|&size| size as usize).collect();
        Ok(Self {
            name,
            shape,
            storage,
            file,
            offset,
            bytes,
        })
    }
}
