//! What an adapter's settings say: `adapter_config.json` as PEFT writes it, or as MLX does.

use serde_json::Value;

use super::{
    pattern::{Pattern, Patterns},
    refused,
    selection::Selection,
};
use crate::load::source::{IS_LFS_POINTER, LFS_POINTER};
use crate::model::AdapterShape;
use crate::model::architecture::{Fields, MALFORMED};

/// The part of the settings that says how factors are used.
#[derive(Debug)]
pub struct Config {
    /// Of modules that no pattern is about.
    pub rank: usize,
    /// The same.
    pub alpha: f64,
    /// Whether the scale is alpha / √rank in place of alpha / rank.
    pub use_rslora: bool,
    /// Other ranks of some modules.
    pub ranks: Patterns<usize>,
    /// Other alphas.
    pub alphas: Patterns<f64>,
    /// Which modules are adapted.
    pub selection: Selection,
    /// The base that the adapter was made for, by its own words.
    pub base: Option<String>,
    /// What was passed over.
    pub notices: Vec<String>,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// No JSON, a field that is missing or wrong, or one that asks for what is not computed here; each by its name.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.starts_with(LFS_POINTER) {
            return Err(IS_LFS_POINTER.to_owned());
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let read = Fields::parse(bytes).and_then(|fields| Self::of(&fields));
        // What is of another kind than PEFT writes has no way out of its own.
        read.map_err(|problem| match problem.strip_prefix(MALFORMED) {
            Some(problem) => format!("{problem}; take the file that was saved beside the weights"),
            None => problem,
        })
    }

    fn of(fields: &Fields) -> Result<Self, String> {
        let is_mlx = fields.value("peft_type").is_none()
            && (fields.value("lora_parameters").is_some()
                || fields.value("fine_tune_type").is_some());
        if is_mlx {
            return Self::of_mlx(fields);
        }
        refused::check(fields)?;
        Ok(Self {
            rank: rank("r", fields.value("r"))?,
            alpha: alpha("lora_alpha", fields.value("lora_alpha"))?,
            use_rslora: fields.flag("use_rslora")?.unwrap_or(false),
            ranks: patterns("rank_pattern", fields, rank)?,
            alphas: patterns("alpha_pattern", fields, alpha)?,
            selection: Selection::of(fields)?,
            base: fields.text("base_model_name_or_path")?.map(str::to_owned),
            notices: refused::notices(fields)?,
        })
    }

    /// MLX's scale is no alpha: the product of the factors is multiplied by it.
    fn of_mlx(fields: &Fields) -> Result<Self, String> {
        let kind = fields.text("fine_tune_type")?.unwrap_or("lora");
        if kind != "lora" {
            return Err(format!(
                "fine_tune_type is {kind}, and only lora is read; fuse the adapter into its base with mlx_lm.fuse and load that as the model"
            ));
        }
        let parameters = fields.object("lora_parameters")?;
        let parameters = parameters.ok_or("lora_parameters is missing; take the adapter_config.json that MLX saved beside the weights")?;
        let rank = rank("lora_parameters.rank", parameters.value("rank"))?;
        let scale = alpha("lora_parameters.scale", parameters.value("scale"))?;
        Ok(Self {
            rank,
            alpha: scale * rank as f64,
            use_rslora: false,
            ranks: Patterns::NONE,
            alphas: Patterns::NONE,
            selection: Selection::in_file(),
            base: fields.text("model")?.map(str::to_owned),
            notices: Vec::new(),
        })
    }
}

/// What is said of a value of another kind.
pub fn of_type(field: &str, value: &Value, expected: &str) -> String {
    format!("{field} is {value}; it must be {expected}")
}

fn rank(field: &str, value: Option<&Value>) -> Result<usize, String> {
    const EXPECTED: &str = "a whole number, 1 or more";
    let value = value.ok_or_else(|| format!("{field} is missing; it must be {EXPECTED}"))?;
    let rank = value.as_u64().filter(|&rank| rank > 0);
    let rank = rank.ok_or_else(|| of_type(field, value, EXPECTED))?;
    // The same limit where usize has 32 bits.
    match u32::try_from(rank) {
        Ok(rank) => Ok(rank as usize),
        Err(_) => Err(format!(
            "its rank is {rank}, which no layer has room for; use an adapter of a smaller rank"
        )),
    }
}

fn alpha(field: &str, value: Option<&Value>) -> Result<f64, String> {
    const EXPECTED: &str = "a number above 0 that single precision can hold";
    let value = value.ok_or_else(|| format!("{field} is missing; it must be {EXPECTED}"))?;
    value
        .as_f64()
        .filter(|&alpha| AdapterShape::can_have_alpha(alpha))
        .ok_or_else(|| of_type(field, value, EXPECTED))
}

fn patterns<T>(
    field: &'static str,
    fields: &Fields,
    read: fn(&str, Option<&Value>) -> Result<T, String>,
) -> Result<Patterns<T>, String> {
    let Some(entries) = fields.object(field)? else {
        return Ok(Patterns(Vec::new()));
    };
    let entries = entries.iter().map(|(name, value)| {
        let value = read(&format!("{field}.{name}"), Some(value))?;
        Ok((Pattern::end(field, name)?, value))
    });
    Ok(Patterns(entries.collect::<Result<_, String>>()?))
}
