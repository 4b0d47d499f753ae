//! Files to an adapter.

mod config;
mod factors;
mod names;
mod pattern;
mod refused;
mod selection;

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Device, Tensor, TensorData};

use self::{
    config::Config,
    factors::{Module, Stored, common_shape, folding_notice},
    names::{Factor, Place, place},
};
use super::{
    CONFIG_FILE, PeftError, WEIGHTS_FILE,
    modules::{tensor_name, whole_targets},
};
use crate::model::{AdapterShape, Adapters, Bank, ModelConfig};
use crate::tensor_file::TensorFile;
use crate::train::settings::largest_rank;

/// An adapter as it was read.
#[derive(Debug)]
pub struct ReadAdapter {
    /// A bank of one run.
    pub adapters: Adapters,
    /// The base that it was made for, by its own words.
    pub base: Option<String>,
    /// Tensors of the file, each of which has found its place.
    pub tensors: usize,
    /// Blocks that it adapts.
    pub layers: usize,
    /// What was done to it or passed over, each in a sentence.
    pub notices: Vec<String>,
}

/// Reads an adapter as a bank of one run.
///
/// Where ranks differ between modules, all banks have the largest, with factors of 0 beyond their own; a module that is adapted
/// in some blocks only has factors of 0 in the others. Neither changes a product, and no optimizer moves such zeros. Where
/// scales differ, `lora_b` takes what sets them apart from the usual one, and a notice says so.
///
/// # Errors
/// Files that are no LoRA adapter, one of another base, or one that uses what this project does not
/// compute; by the name of the field or of the tensor.
pub fn read(
    config: &[u8],
    weights: &[u8],
    model: &ModelConfig,
    device: &Device,
) -> Result<ReadAdapter, PeftError> {
    let about_config = |problem: String| PeftError::new(CONFIG_FILE, problem);
    let about_weights = |problem: String| PeftError::new(WEIGHTS_FILE, problem);
    let config = Config::parse(config).map_err(about_config)?;
    let file = TensorFile::open(weights)?;
    let found = Found::in_file(&file, model).map_err(about_weights)?;
    let modules = adapted_modules(&config, &found, model).map_err(about_config)?;
    found.check(&modules, model).map_err(about_weights)?;
    let shape = common_shape(&config, &modules);
    check_rank(&shape, model).map_err(about_config)?;

    let mut notices = config.notices;
    let unknown = config.selection.unknown(&names_of_modules(model));
    if !unknown.is_empty() {
        notices.push(format!(
            "target_modules names {}, which this base does not have; all tensors of the file have their place",
            unknown.join(", ")
        ));
    }
    notices.extend(folding_notice(&shape, &modules, config.rank));
    let mut changes = false;
    let blocks = (0..model.num_hidden_layers)
        .map(|layer| {
            let banks = shape.targets.iter().map(|&target| {
                let (inputs, outputs) = target.shape(model).unwrap_or_default();
                let own = modules
                    .iter()
                    .find(|m| m.layer == layer && m.target == target);
                let (a, b) = match own {
                    None => (
                        vec![0.0; shape.rank * inputs],
                        vec![0.0; outputs * shape.rank],
                    ),
                    Some(module) => {
                        let a = found.values(&file, module, Factor::A)?;
                        let b = found.values(&file, module, Factor::B)?;
                        changes |= b.iter().any(|value| *value != 0.0);
                        (module.padded_a(a, &shape), module.padded_b(b, &shape))
                    }
                };
                Ok(Bank {
                    a: Tensor::from_data(TensorData::new(a, [1, shape.rank, inputs]), device),
                    b: Tensor::from_data(TensorData::new(b, [1, outputs, shape.rank]), device),
                })
            });
            banks.collect()
        })
        .collect::<Result<_, PeftError>>()?;
    if !changes {
        notices.push("all of its lora_B are 0, so it changes nothing yet".to_owned());
    }
    let layers: BTreeSet<usize> = modules.iter().map(|module| module.layer).collect();
    Ok(ReadAdapter {
        adapters: Adapters::of_blocks(shape, 1, blocks),
        base: config.base,
        tensors: found.places.len(),
        layers: layers.len(),
        notices,
    })
}

/// The factors of a file, by their places.
struct Found {
    places: BTreeMap<Place, Stored>,
    /// Names of all tensors.
    names: Vec<String>,
    /// The first that has no place, and why.
    without: Option<String>,
}

impl Found {
    fn in_file(file: &TensorFile<'_>, model: &ModelConfig) -> Result<Self, String> {
        let mut found = Self {
            places: BTreeMap::new(),
            names: Vec::new(),
            without: None,
        };
        for name in file.names() {
            found.names.push(name.to_owned());
            match place(name, model.architecture) {
                Ok((place, transposed)) => {
                    let stored = Stored {
                        name: name.to_owned(),
                        transposed,
                    };
                    if let Some(other) = found.places.insert(place, stored) {
                        return Err(format!(
                            "{} and {name} are the same factor; keep one adapter in the file",
                            other.name
                        ));
                    }
                }
                Err(problem) => {
                    let words = || format!("{name} {problem}");
                    found.without.get_or_insert_with(words);
                }
            }
        }
        Ok(found)
    }

    /// Checks that the file holds the factors of all modules and nothing else: what is left out would make another model.
    fn check(&self, modules: &[Module], model: &ModelConfig) -> Result<(), String> {
        let needed: BTreeSet<Place> = modules.iter().flat_map(Module::places).collect();
        let (needs, has) = (needed.len(), self.names.len());
        let matched = needed
            .iter()
            .filter(|place| self.places.contains_key(place));
        let matched = matched.count();
        let standard = |place: &Place| {
            let factor = match place.factor {
                Factor::A => "lora_A",
                Factor::B => "lora_B",
            };
            tensor_name(model.architecture, place.layer, place.module, factor)
        };
        let example = needed.first().map(standard).unwrap_or_default();
        if matched == 0 {
            let first = self.names.first().map_or("none", String::as_str);
            let words = self.without.as_deref();
            return Err(format!(
                "0 of {needs} tensors matched: this base needs names such as {example}, and the file has {first}; {}",
                words.unwrap_or("use an adapter of the same base")
            ));
        }
        let missing = needed
            .iter()
            .filter(|place| !self.places.contains_key(place));
        let missing: Vec<&Place> = missing.collect();
        if let Some(first) = missing.first() {
            let layers: BTreeSet<usize> = missing.iter().map(|place| place.layer).collect();
            return Err(format!(
                "{matched} of {needs} tensors matched: factors are missing in {} of this base's {} layers, the first is {}; use an adapter \
                 of the same base, or name the layers that it has in layers_to_transform",
                layers.len(),
                model.num_hidden_layers,
                standard(first)
            ));
        }
        if let Some(words) = &self.without {
            return Err(format!("{matched} of {has} tensors matched: {words}"));
        }
        let other = self
            .places
            .iter()
            .find(|(place, _)| !needed.contains(place));
        match other {
            None => Ok(()),
            Some((place, stored)) if place.layer >= model.num_hidden_layers => Err(format!(
                "{matched} of {has} tensors matched: {} has no place in this base with its {} layers; use an adapter of the same base",
                stored.name, model.num_hidden_layers
            )),
            Some((_, stored)) => Err(format!(
                "{matched} of {has} tensors matched: {} is of a module that {CONFIG_FILE} does not name; use the {CONFIG_FILE} that was saved \
                 beside these weights",
                stored.name
            )),
        }
    }

    /// The values of a factor, of `lora_A` as [r, in] and of `lora_B` as [out, r].
    fn values(
        &self,
        file: &TensorFile<'_>,
        module: &Module,
        factor: Factor,
    ) -> Result<Vec<f32>, PeftError> {
        let wrong = |problem| PeftError::new(WEIGHTS_FILE, problem);
        let stored = self.places.get(&module.place(factor));
        let stored = stored.ok_or_else(|| wrong(format!("{} is missing", module.name)))?;
        file.check_finite(&stored.name)?;
        let (shape, values) = file.floats(&stored.name)?;
        stored
            .oriented(shape, values, module.shape(factor))
            .map_err(wrong)
    }
}

/// The modules of the base that the settings mean, in the order of the blocks and then of
/// [`crate::model::Target::ALL`].
fn adapted_modules(
    config: &Config,
    found: &Found,
    model: &ModelConfig,
) -> Result<Vec<Module>, String> {
    let architecture = model.architecture;
    let beyond = config.selection.layers_beyond(model.num_hidden_layers);
    if let Some(layer) = beyond.first() {
        return Err(format!(
            "layers_to_transform names layer {layer}, and this base has {}, which count from 0; use an adapter of the same base",
            model.num_hidden_layers
        ));
    }
    let mut modules = Vec::new();
    for layer in 0..model.num_hidden_layers {
        for target in whole_targets(architecture) {
            let (Some(name), Some((inputs, outputs))) =
                (target.module(architecture), target.shape(model))
            else {
                continue;
            };
            let has = |factor| {
                let place = Place {
                    layer,
                    module: name,
                    factor,
                };
                found.places.contains_key(&place)
            };
            let in_file = has(Factor::A) || has(Factor::B);
            if !config.selection.means(architecture.blocks, layer, name)?
                || config.selection.is_in_file() && !in_file
            {
                continue;
            }
            let whole = format!("{}.{name}", architecture.block_name(layer));
            let rank = config.ranks.value(&whole)?.unwrap_or(config.rank);
            let alpha = config.alphas.value(&whole)?.unwrap_or(config.alpha);
            modules.push(Module {
                layer,
                target,
                name,
                inputs,
                outputs,
                rank,
                scale: AdapterShape::scale_of(alpha, rank, config.use_rslora),
            });
        }
    }
    if modules.is_empty() {
        let names = whole_targets(architecture).map(|target| target.name());
        return Err(
            match config.selection.unknown(&names_of_modules(model)).first() {
                Some(other) => format!(
                    "target_modules names {other}, which is not one of this base's modules ({}); use an adapter of the same base",
                    names.collect::<Vec<_>>().join(", ")
                ),
                None => format!(
                    "target_modules, exclude_modules and layers_to_transform together mean none of this base's modules, which are called such \
                 as {}.{}; use an adapter of the same base",
                    architecture.block_name(0),
                    names_of_modules(model).first().map_or("", |name| name
                        .rsplit_once("0.")
                        .map_or("", |(_, last)| last)),
                ),
            },
        );
    }
    Ok(modules)
}

/// Whole names of all modules that can carry an adapter.
fn names_of_modules(model: &ModelConfig) -> Vec<String> {
    let architecture = model.architecture;
    let names = (0..model.num_hidden_layers).flat_map(|layer| {
        let block = architecture.block_name(layer);
        let modules = whole_targets(architecture).filter_map(|target| target.module(architecture));
        modules.map(move |module| format!("{block}.{module}"))
    });
    names.collect()
}

/// Checks the rank against what can be trained here.
fn check_rank(shape: &AdapterShape, model: &ModelConfig) -> Result<(), String> {
    let largest = largest_rank(&shape.targets, model);
    if shape.rank > largest {
        return Err(format!(
            "its rank is {}, and at most {largest} can be trained here; use an adapter of a smaller rank",
            shape.rank
        ));
    }
    Ok(())
}
