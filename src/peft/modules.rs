//! Modules as PEFT names them.

use crate::model::{Architecture, Target};

/// The targets that are whole modules, which is what PEFT can adapt.
pub fn whole_targets(architecture: &Architecture) -> impl Iterator<Item = Target> + '_ {
    let targets = architecture.targets().into_iter();
    targets.filter(|target| target.part(architecture).is_none())
}

/// Name of a factor in PEFT's files; `module` is the name inside its block, `factor` is `lora_A` or
/// `lora_B`.
pub fn tensor_name(
    architecture: &Architecture,
    layer: usize,
    module: &str,
    factor: &str,
) -> String {
    let block = architecture.block_name(layer);
    format!("base_model.model.{block}.{module}.{factor}.weight")
}

/// Whether an entry of `target_modules` means the module `module`: PEFT compares the ends of names
/// at a dot.
pub fn matches(entry: &str, module: &str) -> bool {
    module
        .strip_suffix(entry)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The shortest ends of names that mean `modules` and none of the base's other modules.
///
/// GPT-2's `c_proj` is two modules: it is written alone only where both are meant.
pub fn shortest_names(architecture: &Architecture, modules: &[&'static str]) -> Vec<&'static str> {
    let all: Vec<&str> = whole_targets(architecture)
        .filter_map(|target| target.module(architecture))
        .collect();
    let mut names = Vec::new();
    for &module in modules {
        let last = module.rsplit_once('.').map_or(module, |(_, last)| last);
        let only_meant = all
            .iter()
            .all(|other| !matches(last, other) || modules.contains(other));
        let name = if only_meant { last } else { module };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
