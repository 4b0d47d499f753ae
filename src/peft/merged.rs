//! A run's adapter added to the base, as a model folder for transformers.
//!
//! The weights leave in pieces of some megabytes, so that no second copy of the base ever exists.

use std::collections::HashMap;
use std::ops::Range;

use burn::tensor::Tensor;
use serde_json::{Map, Value, json};

use super::{PeftError, Precision, factors::factors};
use crate::model::{
    Adapters, Base, FrozenWeight, Held, ModelConfig,
    arrangement::Arrangement,
    walk::{self, Role, Weight},
};

/// What errors call the file.
const FILE: &str = "merged model";
/// Values of one piece, unless one row is longer.
const PIECE_VALUES: usize = 1 << 20;

/// One run's adapter and the base, about to be written as one model.
pub struct Merged<'a> {
    model: &'a Base,
    tensors: Vec<Weight>,
    /// Factors A and B by the weight that they change.
    factors: HashMap<String, (Tensor<2>, Tensor<2>)>,
    scale: f64,
    precision: Precision,
    pieces: Vec<Piece>,
}

/// Some rows of a tensor as the file has it.
struct Piece {
    tensor: usize,
    rows: Range<usize>,
}

/// Ids that a config names beside the model's shape.
#[derive(Debug, Clone, Default)]
pub struct SpecialTokens {
    /// Begins a text.
    pub bos: Option<u32>,
    /// End one.
    pub eos: Vec<u32>,
}

impl<'a> Merged<'a> {
    /// Plans the file; nothing is computed yet.
    pub fn new(model: &'a Base, adapters: &Adapters, run: usize, precision: Precision) -> Self {
        let adapters = adapters.run(run);
        let architecture = model.config.architecture;
        let mut by_weight = HashMap::new();
        for (layer, banks) in adapters.blocks.iter().enumerate() {
            let block = architecture.block_name(layer);
            for (module, a, b) in factors(&model.config, &adapters.shape.targets, banks) {
                by_weight.insert(format!("{block}.{module}.weight"), (a, b));
            }
        }
        let tensors: Vec<Weight> = walk::weights(&model.config).collect();
        let pieces = tensors.iter().enumerate().flat_map(|(index, tensor)| {
            let [rows, columns] = file_dims(tensor);
            let some = (PIECE_VALUES / columns).max(1);
            (0..rows).step_by(some).map(move |first| Piece {
                tensor: index,
                rows: first..rows.min(first + some),
            })
        });
        Self {
            pieces: pieces.collect(),
            model,
            tensors,
            factors: by_weight,
            scale: adapters.shape.scale(),
            precision,
        }
    }

    /// Pieces of `model.safetensors` after its header.
    pub fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// Bytes of all pieces.
    pub fn bytes(&self) -> u64 {
        let values = self.tensors.iter().map(|tensor| {
            let [rows, columns] = file_dims(tensor);
            rows as u64 * columns as u64
        });
        values.sum::<u64>() * self.precision.size() as u64
    }

    /// What `model.safetensors` begins with.
    ///
    /// # Errors
    /// None that a model can cause.
    pub fn header(&self) -> Result<Vec<u8>, PeftError> {
        let mut header = Map::from_iter([("__metadata__".to_owned(), json!({ "format": "pt" }))]);
        let mut offset = 0_u64;
        for tensor in &self.tensors {
            let shape = tensor.hugging_face_shape();
            let values = shape.iter().map(|&size| size as u64).product::<u64>();
            let end = offset + values * self.precision.size() as u64;
            let entry = json!({
                "dtype": self.precision.dtype(),
                "shape": shape,
                "data_offsets": [offset, end],
            });
            header.insert(tensor.name.clone(), entry);
            offset = end;
        }
        let mut text = serde_json::to_vec(&header).map_err(|error| PeftError::new(FILE, error))?;
        text.resize(text.len().next_multiple_of(8), b' ');
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.extend(text);
        Ok(bytes)
    }

    /// Piece `index` of `model.safetensors`.
    ///
    /// # Errors
    /// No such piece, or a device that failed.
    pub async fn piece(&self, index: usize) -> Result<Vec<u8>, PeftError> {
        let wrong = |problem: &str| PeftError::new(FILE, problem);
        let piece = self.pieces.get(index);
        let Piece { tensor, rows } = piece.ok_or_else(|| wrong("there is no such piece"))?;
        let needed = &self.tensors[*tensor];
        let weight = weight(self.model, needed.role).ok_or_else(|| wrong("a weight is missing"))?;
        let is_transposed = needed.hugging_face == Arrangement::Columns;
        let count = rows.end - rows.start;
        let mut values = match is_transposed {
            true => {
                let [outputs, _] = weight.dims();
                weight
                    .rows(0, outputs)
                    .transpose()
                    .narrow(0, rows.start, count)
            }
            false => weight.rows(rows.start, count),
        };
        if needed.hugging_face_lacks != 0.0 {
            values = values.sub_scalar(needed.hugging_face_lacks);
        }
        if let Some((a, b)) = self.factors.get(&needed.name) {
            let (left, right) = match is_transposed {
                true => (a.clone().transpose(), b.clone().transpose()),
                false => (b.clone(), a.clone()),
            };
            let change = left.narrow(0, rows.start, count).matmul(right);
            values = values + change.mul_scalar(self.scale);
        }
        let data = values
            .into_data_async()
            .await
            .map_err(|error| PeftError::new(FILE, error))?;
        Ok(self.precision.bytes(data.iter::<f32>()))
    }

    /// `config.json`.
    ///
    /// # Errors
    /// None that a model can cause.
    pub fn config(&self, tokens: &SpecialTokens) -> Result<Vec<u8>, PeftError> {
        let config = hugging_face_config(&self.model.config, self.precision, tokens);
        serde_json::to_vec_pretty(&config).map_err(|error| PeftError::new(FILE, error))
    }
}

/// Rows and columns of a tensor in the file; a vector has one column.
fn file_dims(tensor: &Weight) -> [usize; 2] {
    match tensor.hugging_face_shape()[..] {
        [rows, columns] => [rows, columns],
        [rows] => [rows, 1],
        _ => [0, 1],
    }
}

/// The base's weight for `role`, a vector as a column.
fn weight(model: &Base, role: Role) -> Option<FrozenWeight> {
    Some(match model.weight(role)? {
        Held::Matrix(weight) => weight,
        Held::Vector(vector) => {
            let rows = vector.dims()[0];
            vector.reshape([rows, 1]).into()
        }
    })
}

/// The config as transformers writes it.
fn hugging_face_config(
    config: &ModelConfig,
    precision: Precision,
    tokens: &SpecialTokens,
) -> Value {
    let eos = match tokens.eos[..] {
        [] => Value::Null,
        [one] => json!(one),
        ref several => json!(several),
    };
    let shared = json!({
        "torch_dtype": precision.torch_name(),
        "bos_token_id": tokens.bos,
        "eos_token_id": eos,
        // Without a word, some of transformers' classes take an id of their own, which a small vocabulary does not have.
        "pad_token_id": null,
    });
    let entries = [config.to_json(), shared]
        .into_iter()
        .filter_map(|part| match part {
            Value::Object(entries) => Some(entries),
            _ => None,
        });
    Value::Object(entries.flatten().collect())
}
