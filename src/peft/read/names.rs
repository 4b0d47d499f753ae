//! The names that factors have in files.
//!
//! PEFT writes `base_model.model.NAME.lora_A.weight` [r, in], where NAME is the module's in its base. In use are also names
//! with an adapter's name before `weight`, with a prefix more or less (a base class, `torch.compile`, a model that has others
//! beside its language model), and MLX's `NAME.lora_a` [in, r].

use std::fmt;

use crate::model::Architecture;
use crate::peft::modules::whole_targets;

/// One of the two factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Factor {
    /// `lora_A`, [r, in].
    A,
    /// `lora_B`, [out, r].
    B,
}

/// The place of a factor in a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Block.
    pub layer: usize,
    /// Module inside of the block, as HF names it.
    pub module: &'static str,
    /// Which factor.
    pub factor: Factor,
}

/// Why a name has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPlace {
    /// DoRA's lengths of rows.
    Magnitude,
    /// Factors of an embedding or of the head.
    Embedding,
    /// A tensor that is no factor, such as a trained head.
    NoFactor,
    /// A factor of what this base does not have.
    Elsewhere,
}

impl fmt::Display for NoPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Magnitude => {
                "belongs to DoRA (use_dora), which is not computed; merge the adapter into its base with PEFT's merge_and_unload, save that, and load it as the model"
            }
            Self::Embedding => {
                "adapts the embedding or the head, which carry no adapter here; merge the adapter into its base with PEFT's merge_and_unload, save that, and load it as the model"
            }
            Self::NoFactor => {
                "is no LoRA factor; an adapter that has trained more than factors must be merged into its base with PEFT's merge_and_unload, saved, and loaded as the model"
            }
            Self::Elsewhere => "has no place in this base; use an adapter of the same base",
        })
    }
}

/// What wrappers of modules add to names.
const WRAPPERS: [&str; 3] = [
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
];
/// What may stand before the list of blocks.
const PREFIXES: [&str; 5] = [
    "base_model",
    "model",
    "language_model",
    "text_model",
    "module",
];

/// Where the tensor `name` belongs, and whether it is stored transposed.
///
/// # Errors
/// A name that has no place in a base of this architecture.
pub fn place(name: &str, architecture: &Architecture) -> Result<(Place, bool), NoPlace> {
    let parts: Vec<&str> = name
        .split('.')
        .filter(|part| !WRAPPERS.contains(part))
        .collect();
    let one_of = |names: &[&str]| parts.iter().any(|part| names.contains(part));
    // PEFT's name, and MLX's.
    if one_of(&["lora_magnitude_vector"]) || parts.last() == Some(&"m") {
        return Err(NoPlace::Magnitude);
    }
    if one_of(&["lora_embedding_A", "lora_embedding_B"]) {
        return Err(NoPlace::Embedding);
    }
    let factors = ["lora_A", "lora_B", "lora_a", "lora_b"];
    let Some(at) = parts.iter().position(|part| factors.contains(part)) else {
        return Err(NoPlace::NoFactor);
    };
    let is_mlx = ["lora_a", "lora_b"].contains(&parts[at]);
    let ends = match parts[at + 1..] {
        [] => is_mlx,
        ["weight"] | [_, "weight"] => !is_mlx,
        _ => false,
    };
    if !ends {
        return Err(NoPlace::NoFactor);
    }
    let factor = match parts[at] {
        "lora_A" | "lora_a" => Factor::A,
        _ => Factor::B,
    };
    let (layer, module) = block_and_module(&parts[..at], architecture)?;
    let place = Place {
        layer,
        module,
        factor,
    };
    Ok((place, is_mlx))
}

fn block_and_module(
    parts: &[&str],
    architecture: &Architecture,
) -> Result<(usize, &'static str), NoPlace> {
    let lists: Vec<&str> = architecture.blocks.split('.').collect();
    let list = lists.last().copied().unwrap_or_default();
    let tables = [Some(architecture.embedding), architecture.positions];
    let tables = tables.into_iter().flatten().chain([architecture.head]);
    let name = parts.join(".");
    for table in tables {
        let last = table.hugging_face.rsplit('.').next().unwrap_or_default();
        if name.rsplit('.').next() == Some(last) {
            return Err(NoPlace::Embedding);
        }
    }
    let at = parts.iter().position(|part| *part == list);
    let at = at.ok_or(NoPlace::Elsewhere)?;
    let prefixed = parts[..at]
        .iter()
        .all(|part| PREFIXES.contains(part) || lists.contains(part));
    let layer = parts.get(at + 1).and_then(|layer| layer.parse().ok());
    let rest = parts.get(at + 2..).unwrap_or_default().join(".");
    let mut modules = whole_targets(architecture).filter_map(|target| target.module(architecture));
    let module = modules.find(|module| *module == rest);
    match (prefixed, layer, module) {
        (true, Some(layer), Some(module)) => Ok((layer, module)),
        _ => Err(NoPlace::Elsewhere),
    }
}
