//! Files to an adapter.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Device, Tensor};
use serde::Deserialize;
use serde_json::Value;

use super::{
    CONFIG_FILE, PeftError, WEIGHTS_FILE,
    modules::{matches, tensor_name, whole_targets},
};
use crate::model::{AdapterShape, Adapters, Architecture, Bank, ModelConfig, Target};
use crate::tensor_file::TensorFile;
use crate::train::settings::largest_rank;

/// The part of `adapter_config.json` that says how factors are used.
#[derive(Debug, Deserialize)]
struct Config {
    peft_type: String,
    r: usize,
    lora_alpha: f64,
    #[serde(deserialize_with = "list_of_modules")]
    target_modules: Vec<String>,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    fan_in_fan_out: bool,
    #[serde(default)]
    bias: Option<String>,
    #[serde(default)]
    modules_to_save: Option<Vec<String>>,
    #[serde(default)]
    layers_to_transform: Option<Value>,
    #[serde(default)]
    rank_pattern: BTreeMap<String, usize>,
    #[serde(default)]
    alpha_pattern: BTreeMap<String, f64>,
}

/// PEFT also takes a pattern here, which only Python can match as it does.
fn list_of_modules<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let found = Value::deserialize(from)?;
    serde_json::from_value(found).map_err(|_| {
        serde::de::Error::custom(
            "target_modules is no list of names, which is not supported; write the names of the modules instead",
        )
    })
}

/// The name of the base that an adapter was made for, where its settings tell.
pub fn base_name(config: &[u8]) -> Option<String> {
    let config: Value = serde_json::from_slice(config).ok()?;
    let name = config.get("base_model_name_or_path")?.as_str()?;
    Some(name.to_owned())
}

/// An adapted module of a block.
struct Module {
    target: Target,
    name: &'static str,
    inputs: usize,
    outputs: usize,
    rank: usize,
    alpha: f64,
}

/// Reads an adapter as a bank of one run.
///
/// Where ranks differ between modules, all banks have the largest, with factors of 0 beyond their
/// own, which changes no product.
///
/// # Errors
/// Files that are no LoRA adapter, one of another base, or one that uses what this project does not
/// compute (DoRA, rank-stabilised scale, scales that differ between modules).
pub fn read(
    config: &[u8],
    weights: &[u8],
    model: &ModelConfig,
    device: &Device,
) -> Result<Adapters, PeftError> {
    let wrong = |problem: String| PeftError::new(CONFIG_FILE, problem);
    let config: Config =
        serde_json::from_slice(config).map_err(|error| wrong(error.to_string()))?;
    let architecture = model.architecture;
    // First, because another base explains most of what would be refused next.
    let modules = adapted_modules(&config, model).map_err(wrong)?;
    check_supported(&config, architecture).map_err(wrong)?;
    let shape = shape(&config, &modules).map_err(wrong)?;
    check_rank(&shape, model).map_err(wrong)?;

    let file = TensorFile::open(weights)?;
    check_complete(&file, &modules, model)?;
    let blocks = (0..model.num_hidden_layers)
        .map(|layer| {
            let banks = modules.iter().map(|module| {
                let name = |factor| tensor_name(architecture, layer, module.name, factor);
                let a = [module.rank, module.inputs];
                let b = [module.outputs, module.rank];
                let a = file.tensor(&name("lora_A"), a, device)?;
                let b = file.tensor(&name("lora_B"), b, device)?;
                Ok(Bank {
                    a: padded(a, 0, shape.rank).unsqueeze(),
                    b: padded(b, 1, shape.rank).unsqueeze(),
                })
            });
            banks.collect()
        })
        .collect::<Result<_, PeftError>>()?;
    Ok(Adapters::of_blocks(shape, 1, blocks))
}

/// Checks that the file holds the factors of all blocks and nothing else: what is left out would make another model.
fn check_complete(
    file: &TensorFile<'_>,
    modules: &[Module],
    model: &ModelConfig,
) -> Result<(), PeftError> {
    let architecture = model.architecture;
    let needed: BTreeSet<String> = (0..model.num_hidden_layers)
        .flat_map(|layer| {
            modules.iter().flat_map(move |module| {
                ["lora_A", "lora_B"]
                    .map(|factor| tensor_name(architecture, layer, module.name, factor))
            })
        })
        .collect();
    let wrong = |problem: String| PeftError::new(WEIGHTS_FILE, problem);
    let names = file.names();
    let layers = model.num_hidden_layers;
    if let Some(missing) = needed.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(wrong(format!(
            "{missing} is missing; this base has {layers} layers and needs it in each: use an adapter of the same base"
        )));
    }
    match names.iter().find(|name| !needed.contains(**name)) {
        None => Ok(()),
        Some(other) => Err(wrong(format!(
            "{other} has no place in this base with its {layers} layers, or is no LoRA factor; use a plain LoRA adapter of the same base"
        ))),
    }
}

/// Refuses what PEFT can do and this project does not compute.
fn check_supported(config: &Config, architecture: &Architecture) -> Result<(), String> {
    if config.peft_type != "LORA" {
        return Err(format!(
            "peft_type is {}, which is not supported; use LORA",
            config.peft_type
        ));
    }
    let refused = [
        (
            "bias",
            config.bias.as_deref().is_some_and(|bias| bias != "none"),
        ),
        (
            "modules_to_save",
            config
                .modules_to_save
                .as_ref()
                .is_some_and(|modules| !modules.is_empty()),
        ),
        (
            "layers_to_transform",
            config
                .layers_to_transform
                .as_ref()
                .is_some_and(|layers| !layers.is_null()),
        ),
        ("use_dora", config.use_dora),
        ("use_rslora", config.use_rslora),
        (
            "fan_in_fan_out",
            config.fan_in_fan_out && !architecture.stores_columns,
        ),
    ];
    match refused.iter().find(|(_, set)| *set) {
        Some((name, _)) => Err(format!(
            "{name} is set, which is not supported; use a plain LoRA adapter"
        )),
        None => Ok(()),
    }
}

/// The modules that `target_modules` means, in the order of [`Target::ALL`].
fn adapted_modules(config: &Config, model: &ModelConfig) -> Result<Vec<Module>, String> {
    let architecture = model.architecture;
    let there: Vec<Module> = whole_targets(architecture)
        .filter_map(|target| {
            let name = target.module(architecture)?;
            let (inputs, outputs) = target.shape(model)?;
            Some(Module {
                target,
                name,
                inputs,
                outputs,
                rank: pattern(&config.rank_pattern, name).unwrap_or(config.r),
                alpha: pattern(&config.alpha_pattern, name).unwrap_or(config.lora_alpha),
            })
        })
        .collect();
    let known = |entry: &String| there.iter().any(|module| matches(entry, module.name));
    if let Some(other) = config.target_modules.iter().find(|entry| !known(entry)) {
        return Err(format!(
            "target module {other} is not one of this base's; use an adapter of the same base"
        ));
    }
    // A pattern for single layers would leave one of them with another rank or scale.
    let mut patterns = config
        .rank_pattern
        .keys()
        .chain(config.alpha_pattern.keys());
    if let Some(other) = patterns.find(|entry| !known(entry)) {
        return Err(format!(
            "the pattern {other} names no module of this base's blocks; use a rank and an alpha for all layers"
        ));
    }
    let is_meant = |module: &Module| {
        let mut entries = config.target_modules.iter();
        entries.any(|entry| matches(entry, module.name))
    };
    Ok(there.into_iter().filter(is_meant).collect())
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

/// What `patterns` say of a module.
fn pattern<T: Copy>(patterns: &BTreeMap<String, T>, module: &str) -> Option<T> {
    let mut entries = patterns.iter();
    entries
        .find(|(entry, _)| matches(entry, module))
        .map(|(_, value)| *value)
}

/// The one shape that serves all modules: the largest rank, and the alpha that keeps the scale.
fn shape(config: &Config, modules: &[Module]) -> Result<AdapterShape, String> {
    let largest = modules.iter().max_by_key(|module| module.rank);
    let (rank, alpha) = largest.map_or((config.r, config.lora_alpha), |module| {
        (module.rank, module.alpha)
    });
    for module in modules {
        let (one, other) = (module.alpha * rank as f64, alpha * module.rank as f64);
        if module.rank == 0 {
            return Err(format!(
                "the rank of {} is 0; it must be 1 or more",
                module.name
            ));
        }
        if (one - other).abs() > 1e-9 * other.abs() {
            return Err(format!(
                "the scale alpha / r of {} is not that of the other modules, which is not supported; use one scale",
                module.name
            ));
        }
    }
    Ok(AdapterShape {
        rank,
        alpha,
        targets: modules.iter().map(|module| module.target).collect(),
    })
}

/// `factor` with zeros after its own `dimension`, so that it has the length `rank` there.
fn padded(factor: Tensor<2>, dimension: usize, rank: usize) -> Tensor<2> {
    let mut shape = factor.dims();
    if shape[dimension] == rank {
        return factor;
    }
    shape[dimension] = rank - shape[dimension];
    let zeros = Tensor::zeros(shape, &factor.device());
    Tensor::cat(vec![factor, zeros], dimension)
}
