//! Adapters out and in, in PEFT's format: `adapter_config.json` and `adapter_model.safetensors`.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData, Transaction};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::Deserialize;
use serde_json::json;

use crate::model::{AdapterShape, Adapters, Bank, ModelConfig, Target};

/// File name of the settings.
pub const CONFIG_FILE: &str = "adapter_config.json";
/// File name of the factors.
pub const WEIGHTS_FILE: &str = "adapter_model.safetensors";

/// Why an adapter cannot be read or written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct PeftError {
    /// Which of the two files.
    pub file: &'static str,
    /// Cause and way out.
    pub problem: String,
}

impl PeftError {
    fn new(file: &'static str, problem: impl ToString) -> Self {
        Self {
            file,
            problem: problem.to_string(),
        }
    }
}

/// One adapter as files.
#[derive(Debug, Clone, PartialEq)]
pub struct PeftFolder {
    /// `adapter_config.json`.
    pub config: Vec<u8>,
    /// `adapter_model.safetensors`.
    pub weights: Vec<u8>,
}

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

/// Name of a factor in PEFT's files; `factor` is `lora_A` or `lora_B`.
fn tensor_name(layer: usize, target: Target, factor: &str) -> String {
    let module = target.module();
    format!("base_model.model.model.layers.{layer}.{module}.{factor}.weight")
}

/// Last part of a module's name, as `target_modules` lists it.
fn short_name(target: Target) -> &'static str {
    let module = target.module();
    module.rsplit_once('.').map_or(module, |(_, last)| last)
}

/// Writes run `run` as `PeftModel.from_pretrained` reads it. `base` names the base model.
///
/// # Errors
/// A device that failed.
pub async fn write(
    adapters: &Adapters,
    run: usize,
    base: &str,
    dropout: f64,
) -> Result<PeftFolder, PeftError> {
    let adapters = adapters.run(run);
    let shape = &adapters.shape;
    let mut entries = Vec::new();
    let mut transaction = Transaction::default();
    for (layer, banks) in adapters.blocks.iter().enumerate() {
        for (&target, Bank { a, b }) in shape.targets.iter().zip(banks) {
            for (factor, tensor) in [("lora_A", a), ("lora_B", b)] {
                let [_, rows, columns] = tensor.dims();
                entries.push((tensor_name(layer, target, factor), vec![rows, columns]));
                transaction = transaction.register(tensor.clone());
            }
        }
    }
    let wrong = |error: String| PeftError::new(WEIGHTS_FILE, error);
    let data = transaction
        .execute_async()
        .await
        .map_err(|error| wrong(error.to_string()))?;
    let bytes: Vec<Vec<u8>> = data
        .iter()
        .map(|data| data.iter::<f32>().flat_map(f32::to_le_bytes).collect())
        .collect();
    let views = entries
        .into_iter()
        .zip(&bytes)
        .map(|((name, shape), bytes)| {
            let view = TensorView::new(Dtype::F32, shape, bytes);
            Ok((name, view.map_err(|error| wrong(error.to_string()))?))
        })
        .collect::<Result<Vec<_>, PeftError>>()?;
    let format = Some([("format".to_owned(), "pt".to_owned())].into());
    let weights =
        safetensors::serialize(views, format).map_err(|error| wrong(error.to_string()))?;

    let targets: Vec<&str> = shape.targets.iter().map(|&t| short_name(t)).collect();
    let config = json!({
        "alpha_pattern": {},
        "base_model_name_or_path": base,
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "init_lora_weights": true,
        "lora_alpha": shape.alpha,
        "lora_dropout": dropout,
        "modules_to_save": null,
        "peft_type": "LORA",
        "r": shape.rank,
        "rank_pattern": {},
        "target_modules": targets,
        "task_type": "CAUSAL_LM",
        "use_dora": false,
        "use_rslora": false,
    });
    let config =
        serde_json::to_vec_pretty(&config).map_err(|error| PeftError::new(CONFIG_FILE, error))?;
    Ok(PeftFolder { config, weights })
}

/// Reads an adapter as a bank of one run.
///
/// # Errors
/// Files that are no LoRA adapter, one of another base, or one that uses what this project does not
/// compute (DoRA, rank-stabilised scale, ranks that differ between layers).
pub fn read(
    config: &[u8],
    weights: &[u8],
    model: &ModelConfig,
    device: &Device,
) -> Result<Adapters, PeftError> {
    let wrong = |problem: String| PeftError::new(CONFIG_FILE, problem);
    let config: Config =
        serde_json::from_slice(config).map_err(|error| wrong(error.to_string()))?;
    if config.peft_type != "LORA" {
        return Err(wrong(format!(
            "peft_type is {}, which is not supported; use LORA",
            config.peft_type
        )));
    }
    let refused = [
        ("use_dora", config.use_dora),
        ("use_rslora", config.use_rslora),
        ("fan_in_fan_out", config.fan_in_fan_out),
        ("rank_pattern", !config.rank_pattern.is_empty()),
        ("alpha_pattern", !config.alpha_pattern.is_empty()),
    ];
    if let Some((name, _)) = refused.iter().find(|(_, set)| *set) {
        return Err(wrong(format!(
            "{name} is set, which is not supported; use a plain LoRA adapter"
        )));
    }
    let mut targets = Vec::new();
    for name in &config.target_modules {
        let known = Target::ALL.into_iter().find(|&t| short_name(t) == name);
        targets.push(known.ok_or_else(|| {
            wrong(format!(
                "target module {name} is not one of this base's; use an adapter of the same base"
            ))
        })?);
    }
    targets.sort_unstable();
    targets.dedup();

    let file =
        SafeTensors::deserialize(weights).map_err(|error| PeftError::new(WEIGHTS_FILE, error))?;
    let blocks = (0..model.num_hidden_layers)
        .map(|layer| {
            targets
                .iter()
                .map(|&target| {
                    let (inputs, outputs) = target.shape(model);
                    let factor = |name: &str, shape: [usize; 2]| {
                        let name = tensor_name(layer, target, name);
                        read_factor(&file, &name, shape, device)
                    };
                    Ok(Bank {
                        a: factor("lora_A", [config.r, inputs])?,
                        b: factor("lora_B", [outputs, config.r])?,
                    })
                })
                .collect()
        })
        .collect::<Result<_, PeftError>>()?;
    Ok(Adapters {
        shape: AdapterShape {
            rank: config.r,
            alpha: config.lora_alpha,
            targets,
        },
        runs: 1,
        blocks,
    })
}

fn read_factor(
    file: &SafeTensors<'_>,
    name: &str,
    shape: [usize; 2],
    device: &Device,
) -> Result<Tensor<3>, PeftError> {
    let wrong = |problem: String| PeftError::new(WEIGHTS_FILE, problem);
    let view = file.tensor(name).map_err(|_| {
        wrong(format!(
            "{name} is missing; use an adapter of the same base"
        ))
    })?;
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        return Err(wrong(format!(
            "{name} is {:?} {:?}, and this base needs F32 {shape:?}",
            view.dtype(),
            view.shape()
        )));
    }
    let values: Vec<f32> = view
        .data()
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect();
    let [rows, columns] = shape;
    Ok(Tensor::from_data(
        TensorData::new(values, [1, rows, columns]),
        device,
    ))
}
