//! The weights of a model among the tensors of its files.

use std::collections::HashMap;

use super::Found;
use crate::load::{LoadError, tensor::StoredTensor};
use crate::model::{
    ModelConfig,
    arrangement::Arrangement,
    walk::{self, Weight, stored_shape},
};

/// What a format has of a weight.
pub(super) struct InFile<'a> {
    /// Its name.
    pub name: &'a str,
    /// How its values lie there.
    pub arrangement: Arrangement,
    /// What they lack.
    pub added: f32,
}

/// Finds every weight of the model among the tensors of its files.
///
/// `in_file` says what the format has of a weight. Returns them in model order.
///
/// # Errors
/// A tensor that is missing, has another shape, occurs twice, or that the model has no place for: ignoring one
/// would make another model of it.
pub(super) fn find_weights(
    file: &str,
    config: &ModelConfig,
    stored: Vec<StoredTensor>,
    in_file: fn(&Weight) -> InFile<'_>,
) -> Result<Vec<Found>, LoadError> {
    let mut by_name = HashMap::with_capacity(stored.len());
    for tensor in stored {
        if let Some(twice) = by_name.insert(tensor.name.clone(), tensor) {
            let name = twice.name;
            return Err(LoadError::new(file, format!("tensor {name} occurs twice")));
        }
    }
    let mut all = Vec::with_capacity(by_name.len());
    for weight in walk::weights(config) {
        let InFile {
            name,
            arrangement,
            added,
        } = in_file(&weight);
        let Some(stored) = by_name.remove(name) else {
            return Err(LoadError::new(file, format!("tensor {name} is missing")));
        };
        let expected = stored_shape(&weight.shape, arrangement);
        if stored.shape != expected {
            let found = &stored.shape;
            return Err(LoadError::new(
                file,
                format!("tensor {name} has shape {found:?}; the config asks for {expected:?}"),
            ));
        }
        all.push(Found {
            weight,
            stored,
            arrangement,
            added,
        });
    }
    // The smallest name, so that the message does not depend on the order of a hash map.
    match by_name.into_keys().min() {
        None => Ok(all),
        Some(name) => Err(LoadError::new(
            file,
            format!(
                "tensor {name} has no place in a {} model, so the model would not be computed correctly",
                config.architecture.title
            ),
        )),
    }
}
