//! The weights of a model among the tensors of its files.

use std::collections::HashMap;

use super::Found;
use crate::load::{LoadError, tensor::StoredTensors};
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

/// The weights of a model, and what its files hold beside them.
pub(super) struct Matched {
    /// Every weight, in model order.
    pub found: Vec<Found>,
    /// A sentence about the tensors that were passed over, where there are such.
    pub notice: Option<String>,
}

/// Ends of names of tensors that files of several architectures hold, and models compute.
const COMPUTED: [&str; 3] = [
    ".rotary_emb.inv_freq",
    ".attn_rot_embd.weight",
    ".masked_bias",
];

/// Names that a notice lists before it counts.
const NAMED: usize = 4;

/// Finds every weight of the model among the tensors of its files.
///
/// `in_file` says what the format has of a weight. Tensors that no model could have as weights, and those that it
/// computes, are passed over with a notice.
///
/// # Errors
/// A tensor that is missing, cannot be read, has another shape, occurs twice, or that the model has no place for:
/// ignoring one would make another model of it.
pub(super) fn find_weights(
    file: &str,
    config: &ModelConfig,
    stored: StoredTensors,
    in_file: fn(&Weight) -> InFile<'_>,
) -> Result<Matched, LoadError> {
    let StoredTensors {
        readable,
        mut unreadable,
    } = stored;
    let mut by_name = HashMap::with_capacity(readable.len());
    for tensor in readable {
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
            let unread = unreadable.into_iter().find(|tensor| tensor.name == name);
            return Err(match unread {
                Some(unread) => unread.why,
                None => LoadError::new(
                    file,
                    format!(
                        "tensor {name} is missing; download the weights again, and take the config.json that belongs to them"
                    ),
                ),
            });
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
    // A head is a weight also where it was taken for tied, because what there is of it cannot be read.
    let untied = ModelConfig {
        tie_word_embeddings: false,
        ..config.clone()
    };
    for weight in walk::after_blocks(&untied) {
        let name = in_file(&weight).name;
        if let Some(index) = unreadable.iter().position(|tensor| tensor.name == name) {
            return Err(unreadable.swap_remove(index).why);
        }
    }
    // In order, so that the message does not depend on that of a hash map.
    let readable = by_name.into_keys().map(|name| (name, false));
    let unreadable = unreadable
        .drain(..)
        .map(|tensor| (tensor.name, tensor.is_no_weight));
    let mut others: Vec<(String, bool)> = readable.chain(unreadable).collect();
    others.sort_unstable();
    let known = config.architecture.computed.iter().chain(&COMPUTED);
    let is_computed = |name: &str| known.clone().any(|end| name.ends_with(end));
    let title = config.architecture.title;
    for (name, is_no_weight) in &others {
        if !is_no_weight && !is_computed(name) {
            return Err(LoadError::new(
                file,
                format!(
                    "tensor {name} has no place in a {title} model, so the model would not be computed correctly; use a plain {title}"
                ),
            ));
        }
    }
    let names: Vec<&str> = others.iter().map(|(name, _)| name.as_str()).collect();
    Ok(Matched {
        found: all,
        notice: passed_over(file, title, &names),
    })
}

/// Says which tensors are not needed.
fn passed_over(file: &str, title: &str, names: &[&str]) -> Option<String> {
    let (named, others) = names.split_at(names.len().min(NAMED));
    let named = named.join(", ");
    match (names.len(), others.len()) {
        (0, _) => None,
        (1, _) => Some(format!(
            "{file}: tensor {named} is no weight of a {title} model and was passed over."
        )),
        (_, 0) => Some(format!(
            "{file}: tensors {named} are no weights of a {title} model and were passed over."
        )),
        (_, others) => Some(format!(
            "{file}: tensors {named} and {others} more are no weights of a {title} model and were passed over."
        )),
    }
}
