//! Which modules of a base an adapter's settings mean.

use serde_json::Value;

use super::{config::of_type, pattern::Pattern};
use crate::model::architecture::Fields;

/// What PEFT calls all linear layers but the head.
const ALL_LINEAR: &str = "all-linear";

/// Modules by their whole names in the base, such as `model.layers.0.self_attn.q_proj`.
#[derive(Debug, Clone)]
pub struct Selection {
    targets: Targets,
    excluded: Option<Targets>,
    layers: Option<Vec<usize>>,
    /// Patterns of the list that the layers of `layers` are in; empty is any.
    lists: Vec<Pattern>,
}

#[derive(Debug, Clone)]
enum Targets {
    /// Whole names, or their ends after a dot.
    Names(Vec<String>),
    Pattern(Pattern),
    AllLinear,
    /// Those whose factors the file has.
    InFile,
}

impl Targets {
    fn of(field: &'static str, value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) if text.eq_ignore_ascii_case(ALL_LINEAR) => Ok(Self::AllLinear),
            Value::String(text) => Ok(Self::Pattern(Pattern::whole(field, text)?)),
            other => Ok(Self::Names(names(field, other)?)),
        }
    }

    fn mean(&self, module: &str) -> Result<bool, String> {
        match self {
            Self::Names(names) => Ok(names.iter().any(|name| is_end(name, module))),
            Self::Pattern(pattern) => pattern.holds(module),
            Self::AllLinear | Self::InFile => Ok(true),
        }
    }
}

impl Selection {
    /// What `target_modules`, `exclude_modules`, `layers_to_transform` and `layers_pattern` say together.
    ///
    /// # Errors
    /// A field that is missing, empty or of another kind.
    pub fn of(fields: &Fields) -> Result<Self, String> {
        let value = fields.value("target_modules").ok_or(
            "target_modules is missing; it must say which modules the adapter is for, as in the file that PEFT wrote",
        )?;
        let targets = Targets::of("target_modules", value)?;
        if let Targets::Names(names) = &targets
            && names.is_empty()
        {
            return Err("target_modules is empty; it must name at least one module".to_owned());
        }
        let excluded = fields.value("exclude_modules");
        let excluded = excluded.map(|value| Targets::of("exclude_modules", value));
        let (mut layers, mut lists) = (None, Vec::new());
        // As in PEFT, an expression says the layers itself.
        if matches!(targets, Targets::Names(_)) {
            let value = fields.value("layers_to_transform");
            layers = value.map(layer_numbers).transpose()?;
            // PEFT takes an empty list for none.
            layers = layers.filter(|layers| !layers.is_empty());
            lists = match fields.value("layers_pattern") {
                None => Vec::new(),
                Some(Value::String(list)) if list.is_empty() => Vec::new(),
                Some(Value::String(list)) => vec![list.clone()],
                Some(other) => names("layers_pattern", other)?,
            };
        }
        let lists = lists.iter();
        let lists = lists.map(|list| Pattern::end("layers_pattern", list));
        Ok(Self {
            targets,
            excluded: excluded.transpose()?,
            layers,
            lists: lists.collect::<Result<_, _>>()?,
        })
    }

    /// Everything that the file has.
    pub fn in_file() -> Self {
        Self {
            targets: Targets::InFile,
            excluded: None,
            layers: None,
            lists: Vec::new(),
        }
    }

    /// Whether the file alone says what is adapted.
    pub fn is_in_file(&self) -> bool {
        matches!(self.targets, Targets::InFile)
    }

    /// Whether the module `module` of block `layer` is meant; `list` is the name of the list of blocks, such as
    /// `model.layers`.
    ///
    /// # Errors
    /// An expression that takes too long to try.
    pub fn means(&self, list: &str, layer: usize, module: &str) -> Result<bool, String> {
        let name = format!("{list}.{layer}.{module}");
        if let Some(excluded) = &self.excluded
            && excluded.mean(&name)?
        {
            return Ok(false);
        }
        if !self.targets.mean(&name)? {
            return Ok(false);
        }
        let Some(layers) = &self.layers else {
            return Ok(true);
        };
        let mut is_list = self.lists.is_empty();
        for pattern in &self.lists {
            is_list |= pattern.holds(list)?;
        }
        Ok(is_list && layers.contains(&layer))
    }

    /// Names of `target_modules` that mean none of `modules`.
    pub fn unknown(&self, modules: &[String]) -> Vec<&str> {
        let Targets::Names(names) = &self.targets else {
            return Vec::new();
        };
        let known = |name: &str| modules.iter().any(|module| is_end(name, module));
        let unknown = names.iter().map(String::as_str);
        unknown.filter(|name| !known(name)).collect()
    }

    /// The layers that are adapted and that a base of `count` blocks does not have.
    pub fn layers_beyond(&self, count: usize) -> Vec<usize> {
        let layers = self.layers.iter().flatten().copied();
        layers.filter(|&layer| layer >= count).collect()
    }
}

fn is_end(entry: &str, module: &str) -> bool {
    let before = module.strip_suffix(entry);
    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

fn names(field: &'static str, value: &Value) -> Result<Vec<String>, String> {
    serde_json::from_value(value.clone())
        .map_err(|_| of_type(field, value, "a list of names or a regular expression"))
}

fn layer_numbers(value: &Value) -> Result<Vec<usize>, String> {
    let one = serde_json::from_value(value.clone()).map(|layer: usize| vec![layer]);
    one.or_else(|_| serde_json::from_value(value.clone()))
        .map_err(|_| of_type("layers_to_transform", value, "a layer or a list of layers"))
}
