//! What PEFT can do to a base and this project does not compute, by the names of its settings.

use serde_json::Value;

use crate::load::quoted;
use crate::model::architecture::Fields;

/// The way out that is always there.
const MERGE: &str = "merge the adapter into its base with PEFT's merge_and_unload, save that, and load it as the model";

/// Fields of an adapter's settings that change nothing of what is computed, or that are read elsewhere.
const HARMLESS: [&str; 28] = [
    "alpha_pattern",
    "auto_mapping",
    "base_model_name_or_path",
    "corda_config",
    "ensure_weight_tying",
    "eva_config",
    "exclude_modules",
    // PEFT itself corrects it to what the layers of the base are; factors are stored alike.
    "fan_in_fan_out",
    "inference_mode",
    "layers_pattern",
    "layers_to_transform",
    "loftq_config",
    "lora_alpha",
    "lora_dropout",
    "lora_ga_config",
    "megatron_config",
    "megatron_core",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "r",
    "rank_pattern",
    "revision",
    "runtime_config",
    "target_modules",
    "task_type",
    "use_rslora",
    "velora_config",
];

/// What a field is for, where the adapter is another model without it.
const REFUSED: [(&str, &str); 12] = [
    (
        "use_dora",
        "DoRA divides by the length of every row of weight and change together, which are never added up here",
    ),
    (
        "modules_to_save",
        "it has trained whole modules beside the adapter",
    ),
    ("layer_replication", "its base has layers more than once"),
    (
        "alora_invocation_tokens",
        "it acts only after certain tokens (activated LoRA)",
    ),
    (
        "trainable_token_indices",
        "it has trained rows of the embedding",
    ),
    (
        "target_parameters",
        "it adapts parameters that are no modules",
    ),
    ("lora_bias", "its lora_B has biases"),
    ("use_qalora", "it adds up groups of inputs (QALoRA)"),
    ("use_bdlora", "its factors have blocks (BD-LoRA)"),
    (
        "arrow_config",
        "it chooses among adapters token by token (Arrow)",
    ),
    (
        "kasa_config",
        "its product has a diagonal of its own (KaSA)",
    ),
    (
        "monteclora_config",
        "its factors are drawn anew each time (MonteCLoRA)",
    ),
];

/// Those that PEFT cannot merge: what they add to a weight depends on the token, or is no matrix of the weight's shape.
const UNMERGEABLE: [&str; 3] = ["alora_invocation_tokens", "arrow_config", "use_qalora"];

/// Beginnings of `init_lora_weights` that change the base before training.
const OTHER_BASES: [&str; 5] = ["pissa", "olora", "corda", "loftq", "lora_ga"];
/// The others.
const SAME_BASE: [&str; 4] = ["gaussian", "orthogonal", "eva", "mica"];

/// Refuses what is not computed here.
///
/// # Errors
/// The first setting of that kind, with what it means and a way out.
pub fn check(fields: &Fields) -> Result<(), String> {
    let Some(kind) = fields.text("peft_type")? else {
        return Err(
            "peft_type is missing; take the adapter_config.json that PEFT wrote beside the weights"
                .to_owned(),
        );
    };
    if kind != "LORA" {
        return Err(format!(
            "peft_type is {kind}, and only LORA is read: {MERGE}, if it can be merged"
        ));
    }
    if let Some(bias) = fields.text("bias")?
        && bias != "none"
    {
        return Err(format!(
            "bias is {bias:?}: it has trained biases of the base, which are not read; {MERGE}"
        ));
    }
    for (name, words) in REFUSED {
        if let Some(value) = fields.value(name).filter(|value| says_something(value)) {
            let way_out = match UNMERGEABLE.contains(&name) {
                true => {
                    "it cannot be merged into its base either, so use an adapter that was trained without it"
                }
                false => MERGE,
            };
            return Err(format!(
                "{name} is {}: {words}, which is not computed; {way_out}",
                quoted::text(&value.to_string())
            ));
        }
    }
    check_start(fields)
}

fn check_start(fields: &Fields) -> Result<(), String> {
    let start = match fields.value("init_lora_weights") {
        None | Some(Value::Bool(_)) => return Ok(()),
        Some(Value::String(start)) => start.to_lowercase(),
        Some(other) => {
            return Err(format!(
                "init_lora_weights is {other}; it must be true, false or the name of a start"
            ));
        }
    };
    if OTHER_BASES.iter().any(|other| start.starts_with(other)) {
        return Err(format!(
            "init_lora_weights is {start:?}: that start changes the base, so these factors do not belong to the base as it was; \
             save the adapter again with path_initial_model_for_weight_conversion of PEFT's save_pretrained, or {MERGE}"
        ));
    }
    match SAME_BASE.contains(&start.as_str()) {
        true => Ok(()),
        false => Err(format!(
            "init_lora_weights is {start:?}, which is not known here and may have changed the base; {MERGE}"
        )),
    }
}

/// What is said of settings that nobody here knows.
///
/// # Errors
/// One that switches something on.
pub fn notices(fields: &Fields) -> Result<Vec<String>, String> {
    let known = |name: &str| {
        let refused = REFUSED.iter().any(|(other, _)| *other == name);
        refused || HARMLESS.contains(&name) || ["bias", "init_lora_weights"].contains(&name)
    };
    let mut notices = Vec::new();
    for (name, value) in fields.iter() {
        if known(name) || !says_something(value) {
            continue;
        }
        let value = value.to_string();
        let value = quoted::text(&value);
        if name.starts_with("use_") {
            return Err(format!(
                "{name} is {value}, which is not known here and may change what the adapter computes; {MERGE}"
            ));
        }
        notices.push(format!(
            "adapter_config.json has {name} = {value}, which is not known here and was passed over"
        ));
    }
    Ok(notices)
}

/// Whether a value is more than what PEFT writes of what nobody set.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(set) => *set,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}
