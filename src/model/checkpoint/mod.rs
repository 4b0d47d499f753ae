//! A base model on disk, opened: its config, its tokenizer, and its tensors one at a time.

use std::collections::HashMap;

mod gguf;
mod hugging_face;
mod matching;

use super::{
    ModelConfig,
    arrangement::Arrangement,
    walk::{Role, Weight},
};
use crate::load::{
    HostTensor, LoadError, PackedTensor, Source, TensorInfo, Tokenizer, gguf::MAGIC,
    source::read_exactly, tensor::StoredTensor,
};
use crate::packed::{StorageType, dequantise};

/// Packed bytes that are in memory at once while a tensor is read, unless one row is longer.
const CHUNK_BYTES: u64 = 4 << 20;

/// What the reader of a format says about a model.
pub(crate) struct Opened {
    /// Name for the user.
    pub name: String,
    /// Shape of the model.
    pub config: ModelConfig,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
    /// What the user should know of how the files were read, a sentence each.
    pub notices: Vec<String>,
    /// Every weight it has, in model order, with its place and how its values lie there.
    pub tensors: Vec<Found>,
}

/// A weight, and the tensor of the files that holds it.
pub(crate) struct Found {
    pub weight: Weight,
    pub stored: StoredTensor,
    pub arrangement: Arrangement,
    /// What the values of the file lack.
    pub added: f32,
}

/// Where a tensor's bytes are, in which order, and what they are for.
#[derive(Debug, Clone)]
struct Place {
    file: usize,
    offset: u64,
    arrangement: Arrangement,
    /// What is added to the values.
    added: f32,
    role: Role,
}

/// A base model whose files are open and whose headers were read and checked.
pub struct Checkpoint<S: Source> {
    files: Vec<S>,
    name: String,
    config: ModelConfig,
    tokenizer: Tokenizer,
    notices: Vec<String>,
    tensors: Vec<TensorInfo>,
    places: Vec<Place>,
    index: HashMap<String, usize>,
}

impl<S: Source> std::fmt::Debug for Checkpoint<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Checkpoint")
            .field("name", &self.name)
            .field("config", &self.config)
            .field("tensors", &self.tensors.len())
            .finish_non_exhaustive()
    }
}

impl<S: Source> Checkpoint<S> {
    /// Opens the model that `files` are.
    ///
    /// Either a GGUF file or all parts of one, in any order, or the files of a Hugging Face folder: `config.json`, `tokenizer.json`, the weights as
    /// `model.safetensors` or in parts with their index, and optionally `tokenizer_config.json`,
    /// `chat_template.jinja` and `generation_config.json`. Other files are ignored.
    ///
    /// Only headers are read. Afterwards every tensor of [`Self::tensors`] is known to lie inside its file with the
    /// shape that the config asks for.
    ///
    /// # Errors
    /// [`LoadError`] about the file that is missing, malformed, or not supported.
    pub async fn open(files: Vec<S>) -> Result<Self, LoadError> {
        let parts = find_gguf(&files).await?;
        let opened = match parts.is_empty() {
            false => gguf::open(&files, &parts).await?,
            true => hugging_face::open(&files).await?,
        };
        let Opened {
            name,
            config,
            mut tokenizer,
            mut notices,
            tensors: matched,
        } = opened;
        tokenizer.limit_to(config.vocab_size);
        notices.extend(tokenizer.notices().iter().cloned());
        notices.extend(tokenizer.unwritten_opening().map(|opening| {
            format!("The chat template begins each conversation that has no system message with {opening:?}.")
        }));
        let (tensors, places): (Vec<TensorInfo>, Vec<Place>) = matched
            .into_iter()
            .map(|found| {
                let place = Place {
                    file: found.stored.file,
                    offset: found.stored.offset,
                    arrangement: found.arrangement,
                    added: found.added,
                    role: found.weight.role,
                };
                let info = TensorInfo {
                    name: found.weight.name,
                    shape: found.weight.shape,
                    storage: found.stored.storage,
                    bytes: found.stored.bytes,
                };
                (info, place)
            })
            .unzip();
        let names = tensors.iter().enumerate();
        let index = names.map(|(i, tensor)| (tensor.name.clone(), i)).collect();
        Ok(Self {
            files,
            name,
            config,
            tokenizer,
            notices,
            tensors,
            places,
            index,
        })
    }

    /// Name of the model, as its files or the user call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Shape of the model.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// What the user should know of how the files were read, a sentence each: of what they say twice and differently
    /// which counts, what was passed over, and what the chat template adds.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The tokenizer alone, when all tensors are read.
    pub fn into_tokenizer(self) -> Tokenizer {
        self.tokenizer
    }

    /// Every tensor of the model, in the order in which a forward pass meets them.
    ///
    /// There is a `lm_head.weight` only if the head is not tied to the embedding table.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// Every tensor with what it is for, in the same order.
    pub(super) fn weights(&self) -> impl Iterator<Item = (&TensorInfo, Role)> {
        let roles = self.places.iter().map(|place| place.role);
        self.tensors.iter().zip(roles)
    }

    /// What the file says about the tensor called `name`.
    pub fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.get(*self.index.get(name)?)
    }

    /// Reads the tensor called `name` in Hugging Face's naming.
    ///
    /// Besides the result, at most 4 MiB of packed bytes or one row of the file are in memory, and of a tensor that is
    /// stored transposed their values.
    ///
    /// # Errors
    /// A name that [`Self::tensors`] does not list, too little memory, or a source that cannot be read any more.
    pub async fn tensor(&self, name: &str) -> Result<HostTensor, LoadError> {
        let (info, place) = self.find(name)?;
        let source = &self.files[place.file];
        let mut values =
            zeros(info.elements()).ok_or_else(|| too_large(source, info.elements(), name))?;

        // Shapes are never empty and never contain 0; `StoredTensor::new` saw to that.
        let row_values = match place.arrangement {
            Arrangement::Columns => info.shape[0],
            _ => info.shape[info.shape.len() - 1],
        };
        // A vector is one row, whose values are put in order at the end.
        let is_vector = info.shape.len() == 1;
        let rows = info.elements() / row_values;
        let row_bytes = info.bytes / rows as u64;
        let chunk_rows = usize::try_from(CHUNK_BYTES / row_bytes).map_or(1, |rows| rows.max(1));
        for first_row in (0..rows).step_by(chunk_rows) {
            let count = chunk_rows.min(rows - first_row);
            let offset = place.offset + first_row as u64 * row_bytes;
            // Its values fit in memory, so fewer bytes than they take do.
            let length = count * row_bytes as usize;
            let bytes = read_exactly(source, offset, length).await?;
            match place.arrangement {
                Arrangement::Columns => {
                    let mut chunk = vec![0.0; count * row_values];
                    dequantise(info.storage, &bytes, &mut chunk);
                    for (column, values) in values.chunks_exact_mut(rows).enumerate() {
                        let stored = chunk.iter().skip(column).step_by(row_values);
                        let values = &mut values[first_row..first_row + count];
                        for (value, stored) in values.iter_mut().zip(stored) {
                            *value = *stored;
                        }
                    }
                }
                arrangement if arrangement.keeps_rows() || is_vector => {
                    let start = first_row * row_values;
                    let chunk = &mut values[start..start + count * row_values];
                    dequantise(info.storage, &bytes, chunk);
                }
                arrangement => {
                    for (i, bytes) in bytes.chunks_exact(row_bytes as usize).enumerate() {
                        let row = arrangement.row(first_row + i);
                        let values = &mut values[row * row_values..][..row_values];
                        dequantise(info.storage, bytes, values);
                    }
                }
            }
        }
        if place.added != 0.0 {
            for value in &mut values {
                *value += place.added;
            }
        }
        if is_vector && !place.arrangement.keeps_rows() {
            let stored = values.clone();
            for (i, value) in stored.into_iter().enumerate() {
                values[place.arrangement.row(i)] = value;
            }
        }
        Ok(HostTensor {
            shape: info.shape.clone(),
            values,
        })
    }

    /// Reads the matrix called `name` in Hugging Face's naming, packed as its file has it; one that is stored transposed
    /// comes as f32. `None` where it is no matrix.
    ///
    /// # Errors
    /// As [`Self::tensor`].
    pub async fn packed(&self, name: &str) -> Result<Option<PackedTensor>, LoadError> {
        let (info, place) = self.find(name)?;
        let Ok(shape) = <[usize; 2]>::try_from(info.shape.as_slice()) else {
            return Ok(None);
        };
        if place.arrangement == Arrangement::Columns {
            let values = self.tensor(name).await?.values;
            return Ok(Some(PackedTensor {
                shape,
                storage: StorageType::F32,
                bytes: values.into_iter().flat_map(f32::to_le_bytes).collect(),
            }));
        }
        let source = &self.files[place.file];
        let mut bytes = usize::try_from(info.bytes)
            .ok()
            .and_then(zeros)
            .ok_or_else(|| too_large(source, info.elements(), name))?;
        let row_bytes = bytes.len() / shape[0];
        let chunk_rows = (CHUNK_BYTES as usize / row_bytes).max(1);
        for first_row in (0..shape[0]).step_by(chunk_rows) {
            let length = chunk_rows.min(shape[0] - first_row) * row_bytes;
            let start = first_row * row_bytes;
            let read = read_exactly(source, place.offset + start as u64, length).await?;
            for (i, read) in read.chunks_exact(row_bytes).enumerate() {
                let row = place.arrangement.row(first_row + i);
                bytes[row * row_bytes..][..row_bytes].copy_from_slice(read);
            }
        }
        Ok(Some(PackedTensor {
            shape,
            storage: info.storage,
            bytes,
        }))
    }

    fn find(&self, name: &str) -> Result<(&TensorInfo, &Place), LoadError> {
        let Some(&index) = self.index.get(name) else {
            return Err(LoadError::new(
                &self.name,
                format!("it has no tensor called {name}"),
            ));
        };
        Ok((&self.tensors[index], &self.places[index]))
    }
}

fn too_large<S: Source>(source: &S, count: usize, name: &str) -> LoadError {
    LoadError::new(
        source.name(),
        format!("there is not enough memory for the {count} values of tensor {name}"),
    )
}

/// `count` zeros, or `None` where an ordinary allocation would end the program.
fn zeros<T: Clone + Default>(count: usize) -> Option<Vec<T>> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).ok()?;
    values.resize(count, T::default());
    Some(values)
}

/// The GGUF files among `files`, by their ending or their first bytes.
async fn find_gguf<S: Source>(files: &[S]) -> Result<Vec<usize>, LoadError> {
    let mut found = Vec::new();
    for (i, file) in files.iter().enumerate() {
        let is_named_so = file.name().to_ascii_lowercase().ends_with(".gguf");
        let magic_length = MAGIC.len();
        if is_named_so
            || file.len() >= magic_length as u64
                && read_exactly(file, 0, magic_length).await? == MAGIC
        {
            found.push(i);
        }
    }
    Ok(found)
}
