//! Files to an adapter.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use serde::Deserialize;

use super::{
    CONFIG_FILE, PeftError,
    modules::{matches, tensor_name, whole_targets},
};
use crate::model::{AdapterShape, Adapters, Architecture, Bank, ModelConfig, Target};
use crate::tensor_file::TensorFile;

/// The part of `adapter_config.json` that says how factors are used.
#[derive(Debug, Deserialize)]
struct Config {
    peft_type: String,
    r: usize,
    lora_alpha: f64,
    target_modules: Vec<String>,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    fan_in_fan_out: bool,
    #[serde(default)]
    rank_pattern: BTreeMap<String, usize>,
    #[serde(default)]
    alpha_pattern: BTreeMap<String, f64>,
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
    let architecture = &model.architecture;
    check_supported(&config, architecture).map_err(wrong)?;
    let modules = adapted_modules(&config, model).map_err(wrong)?;
    let shape = shape(&config, &modules).map_err(wrong)?;

    let file = TensorFile::open(weights)?;
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
    Ok(Adapters {
        shape,
        runs: 1,
        blocks,
    })
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
        ("use_dora", config.use_dora),
        ("use_rslora", config.use_rslora),
        (
            "fan_in_fan_out",
            config.fan_in_fan_out && !matches!(architecture, Architecture::Gpt2(_)),
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
    let architecture = &model.architecture;
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
