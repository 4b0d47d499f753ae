//! Adapters of a text-to-image model out and in: one safetensors file.
//!
//! Tensors have PEFT's names, `base_model.model.BLOCK.LAYER.lora_A.weight` [r, in] and `….lora_B.weight` [out, r], where
//! `BLOCK.LAYER.weight` is the frozen weight in the model's own file. The metadata's entry `adapter_config` has the fields of
//! PEFT's file of that name.

use std::collections::BTreeSet;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{model::DiffusionModel, weights::linear_shape};
use crate::model::{AdapterShape, Adapters, Bank, Target};
use crate::tensor_file::{self, TensorFile, TensorFileError};

/// Key of the metadata that holds rank, alpha and targets.
const CONFIG: &str = "adapter_config";

/// Why an adapter cannot be read or written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct AdapterFileError(String);

impl From<TensorFileError> for AdapterFileError {
    fn from(error: TensorFileError) -> Self {
        Self(error.to_string())
    }
}

fn refused<T>(problem: String) -> Result<T, AdapterFileError> {
    Err(AdapterFileError(problem))
}

/// The part of PEFT's settings that this project computes.
#[derive(Debug, Serialize, Deserialize)]
struct Config {
    peft_type: String,
    base_model_name_or_path: Option<String>,
    r: usize,
    lora_alpha: f64,
    #[serde(default)]
    use_rslora: bool,
    target_modules: Vec<Target>,
}

/// An adapter as it was read.
#[derive(Debug)]
pub struct ReadAdapter {
    /// A bank of one run.
    pub adapters: Adapters,
    /// The base that it was made for, by its own words.
    pub base: Option<String>,
}

/// What the model's file calls the block, text encoder first.
fn block_name(model: &DiffusionModel, block: usize) -> String {
    match block.checked_sub(model.config.text_layers) {
        None => format!("text.blocks.{block}"),
        Some(block) => format!("blocks.{block}"),
    }
}

fn tensor_name(model: &DiffusionModel, block: usize, target: Target, factor: &str) -> String {
    let block = block_name(model, block);
    format!("base_model.model.{block}.{}.{factor}.weight", target.name())
}

/// The adapter of run `run` as bytes; `base` is what it says of the model.
///
/// # Errors
/// A device that failed.
pub async fn write(
    model: &DiffusionModel,
    adapters: &Adapters,
    run: usize,
    base: &str,
) -> Result<Vec<u8>, AdapterFileError> {
    let shape = &adapters.shape;
    let config = Config {
        peft_type: "LORA".into(),
        base_model_name_or_path: Some(base.into()),
        r: shape.rank,
        lora_alpha: shape.alpha,
        use_rslora: shape.use_rslora,
        target_modules: shape.targets.clone(),
    };
    let config =
        serde_json::to_string(&config).map_err(|error| AdapterFileError(error.to_string()))?;
    let own = adapters.run(run);
    let tensors = own.blocks.iter().enumerate().flat_map(|(block, banks)| {
        shape
            .targets
            .iter()
            .zip(banks)
            .flat_map(move |(&target, bank)| {
                let factors = [("lora_A", &bank.a), ("lora_B", &bank.b)];
                factors.map(|(factor, tensor)| {
                    let name = tensor_name(model, block, target, factor);
                    (name, tensor.clone().squeeze_dim::<2>(0))
                })
            })
    });
    let tensors: Vec<(String, Tensor<2>)> = tensors.collect();
    Ok(tensor_file::write(tensors, (CONFIG, config)).await?)
}

/// Reads what [`write`] wrote.
///
/// # Errors
/// Bytes that are no such file, or an adapter of another model.
pub fn read(model: &DiffusionModel, bytes: &[u8]) -> Result<ReadAdapter, AdapterFileError> {
    let config = tensor_file::read_metadata(bytes, CONFIG).map_err(|error| {
        AdapterFileError(format!(
            "this is no safetensors file ({error}); use one that this page exported"
        ))
    })?;
    let Some(config) = config else {
        return refused(format!(
            "its metadata has no {CONFIG}; use an adapter that was exported from the Images tab"
        ));
    };
    let config: Config = match serde_json::from_str(&config) {
        Ok(config) => config,
        Err(error) => {
            return refused(format!(
                "its {CONFIG} makes no sense ({error}); use an adapter that was exported from the Images tab"
            ));
        }
    };
    check(&config, model)?;
    let mut targets = config.target_modules;
    targets.sort_unstable();
    let shape = AdapterShape {
        rank: config.r,
        alpha: config.lora_alpha,
        use_rslora: config.use_rslora,
        targets,
    };
    let file = TensorFile::open(bytes)?;
    let blocks = model.config.text_layers + model.config.denoiser_layers;
    check_complete(&file, model, &shape, blocks)?;
    let blocks = (0..blocks).map(|block| {
        let banks = shape.targets.iter().map(|&target| {
            let (inputs, outputs) = linear_shape(target, &model.config);
            let name = |factor| tensor_name(model, block, target, factor);
            let (a, b) = (name("lora_A"), name("lora_B"));
            file.check_finite(&a)?;
            file.check_finite(&b)?;
            let a = file.tensor(&a, [shape.rank, inputs], &model.device)?;
            let b = file.tensor(&b, [outputs, shape.rank], &model.device)?;
            Ok(Bank {
                a: a.unsqueeze(),
                b: b.unsqueeze(),
            })
        });
        banks.collect()
    });
    let blocks: Result<_, TensorFileError> = blocks.collect();
    Ok(ReadAdapter {
        adapters: Adapters::of_blocks(shape.clone(), 1, blocks?),
        base: config.base_model_name_or_path,
    })
}

/// Checks what the file says of itself, before tensors of these sizes are made.
fn check(config: &Config, model: &DiffusionModel) -> Result<(), AdapterFileError> {
    let way_out = "use a plain LoRA adapter of this model";
    if config.peft_type != "LORA" {
        return refused(format!("peft_type is {}; {way_out}", config.peft_type));
    }
    let mut targets = config.target_modules.clone();
    targets.sort_unstable();
    targets.dedup();
    if targets.is_empty() || targets.len() != config.target_modules.len() {
        return refused(format!("it names no layer, or one twice; {way_out}"));
    }
    if let Some(other) = targets.iter().find(|t| !Target::LLAMA.contains(t)) {
        return refused(format!(
            "it adapts {}, which this model has not; {way_out}",
            other.name()
        ));
    }
    let largest = model.config.hidden_size.min(model.config.intermediate_size);
    if config.r == 0 || config.r > largest {
        return refused(format!(
            "its rank is {}, and this model's can be 1 to {largest}; {way_out}",
            config.r
        ));
    }
    if !AdapterShape::can_have_alpha(config.lora_alpha) {
        return refused(format!(
            "lora_alpha is {}; it must be a number above 0 that single precision can hold",
            config.lora_alpha
        ));
    }
    Ok(())
}

/// Checks that the factors of all blocks are there and nothing else: what is left out would make another model.
fn check_complete(
    file: &TensorFile<'_>,
    model: &DiffusionModel,
    shape: &AdapterShape,
    blocks: usize,
) -> Result<(), AdapterFileError> {
    let needed: BTreeSet<String> = (0..blocks)
        .flat_map(|block| shape.targets.iter().map(move |target| (block, *target)))
        .flat_map(|(block, target)| {
            ["lora_A", "lora_B"].map(|factor| tensor_name(model, block, target, factor))
        })
        .collect();
    let found = file.names();
    if let Some(missing) = needed.iter().find(|name| !found.contains(&name.as_str())) {
        return refused(format!(
            "{missing} is missing; use an adapter of this model"
        ));
    }
    match found.iter().find(|name| !needed.contains(**name)) {
        None => Ok(()),
        Some(other) => refused(format!(
            "{other} has no place in this model; use an adapter of this model"
        )),
    }
}
