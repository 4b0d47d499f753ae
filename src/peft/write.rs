//! An adapter to files.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    CONFIG_FILE, PeftError, PeftFolder,
    factors::factors,
    modules::{shortest_names, tensor_name},
};
use crate::model::{AdapterShape, Adapters, Architecture, ModelConfig, Target};
use crate::tensor_file;

/// The version of PEFT whose settings these are, and which reads them in `scripts/check-peft`.
const PEFT_VERSION: &str = "0.21.2";

/// Writes run `run` as `PeftModel.from_pretrained` reads it. `config` is the shape of the base and
/// `base` its name.
///
/// # Errors
/// A device that failed.
pub async fn write(
    adapters: &Adapters,
    run: usize,
    config: &ModelConfig,
    base: &str,
    dropout: f64,
) -> Result<PeftFolder, PeftError> {
    let adapters = adapters.run(run);
    let architecture = config.architecture;
    let shape = &adapters.shape;
    let mut tensors = Vec::new();
    for (layer, banks) in adapters.blocks.iter().enumerate() {
        for (module, a, b) in factors(config, &shape.targets, banks) {
            tensors.push((tensor_name(architecture, layer, module, "lora_A"), a));
            tensors.push((tensor_name(architecture, layer, module, "lora_B"), b));
        }
    }
    let weights = tensor_file::write(tensors, ("format", "pt".to_owned())).await?;

    let multiples = parts_of_modules(architecture, &shape.targets);
    let modules: Vec<&str> = multiples.keys().copied().collect();
    // One rank for all modules needs no patterns, which not every reader of the format knows.
    let usual = match multiples.values().collect::<Vec<_>>()[..] {
        [first, ref rest @ ..] if rest.iter().all(|other| *other == first) => *first,
        _ => 1,
    };
    let unusual = || multiples.iter().filter(|(_, parts)| **parts != usual);
    let ranks: BTreeMap<&str, usize> = unusual()
        .map(|(module, parts)| (*module, parts * shape.rank))
        .collect();
    let alphas: BTreeMap<&str, f64> = unusual()
        .map(|(module, parts)| (*module, alpha_of_parts(shape, *parts)))
        .collect();
    let config = json!({
        "alpha_pattern": alphas,
        "base_model_name_or_path": base,
        "bias": "none",
        // As transformers' Conv1D does, which is what GPT-2's layers are.
        "fan_in_fan_out": architecture.stores_columns,
        "inference_mode": true,
        "init_lora_weights": true,
        "lora_alpha": alpha_of_parts(shape, usual),
        "lora_dropout": dropout,
        "modules_to_save": null,
        "peft_type": "LORA",
        "peft_version": PEFT_VERSION,
        "r": usual * shape.rank,
        "rank_pattern": ranks,
        "target_modules": shortest_names(architecture, &modules),
        "task_type": "CAUSAL_LM",
        "use_dora": false,
        "use_rslora": shape.use_rslora,
    });
    let config =
        serde_json::to_vec_pretty(&config).map_err(|error| PeftError::new(CONFIG_FILE, error))?;
    Ok(PeftFolder { config, weights })
}

/// The alpha with which PEFT scales an adapter of `parts` times the rank as these adapters are scaled.
fn alpha_of_parts(shape: &AdapterShape, parts: usize) -> f64 {
    let parts = parts as f64;
    match shape.use_rslora {
        true => parts.sqrt() * shape.alpha,
        false => parts * shape.alpha,
    }
}

/// Every adapted module, and how many of the targets are adapters on it: 1, or the number of parts.
fn parts_of_modules(
    architecture: &Architecture,
    targets: &[Target],
) -> BTreeMap<&'static str, usize> {
    let mut parts = BTreeMap::new();
    for module in targets.iter().filter_map(|t| t.module(architecture)) {
        *parts.entry(module).or_insert(0) += 1;
    }
    parts
}
