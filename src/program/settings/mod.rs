//! What a training from the terminal is told: a JSON file, which may have comments. Its schema, the example with every
//! field explained and what is said of mistakes all come from the types and their docstrings.

mod check;
mod example;
mod shape;

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;
use riemann_lora::{
    data::DataSettings,
    model::Target,
    optim::OptimizerSettings,
    train::{RunSettings, SessionSettings},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What the settings file of `train` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What is trained, and how.
    pub session: SessionSettings,
    /// How the text is read.
    #[serde(default)]
    pub data: DataSettings,
}

/// What a settings file holds.
pub trait SettingsFile: DeserializeOwned + JsonSchema {
    /// Where a whole one is to be seen.
    const WHOLE: &str;
}

impl SettingsFile for Settings {
    const WHOLE: &str = "`riemann-lora settings` prints a whole file with every field explained";
}

impl Settings {
    /// AdamW beside scaled AdamW.
    pub fn example() -> Self {
        let run = |name: &str, optimizer| RunSettings {
            name: name.to_owned(),
            optimizer,
            text_lr: None,
        };
        Self {
            session: SessionSettings {
                rank: 8,
                alpha: 16.0,
                use_rslora: false,
                dropout: 0.0,
                targets: vec![Target::QProj, Target::VProj],
                batch_size: 4,
                micro_batch_size: 0,
                gradient_checkpointing: false,
                half_precision: false,
                steps: 200,
                seed: 0,
                runs: vec![
                    run("AdamW", OptimizerSettings::adamw(1e-3)),
                    run("Scaled AdamW", OptimizerSettings::scaled_adamw(1e-3)),
                ],
                diagnostics: true,
                layer_diagnostics: false,
            },
            data: DataSettings::default(),
        }
    }
}

/// Print a settings file for `train`, with every field explained.
#[derive(Debug, Args)]
pub struct Explain {
    /// Print the JSON Schema of such files in its place, for editors.
    #[arg(long)]
    schema: bool,
}

impl Explain {
    /// Prints it.
    pub fn run(self) -> Result<()> {
        let schema = schemars::schema_for!(Settings).to_value();
        if self.schema {
            println!("{}", serde_json::to_string_pretty(&schema)?);
        } else {
            print!("{}", example::explained(&Settings::example(), &schema)?);
        }
        Ok(())
    }
}

/// The settings in a file, or on the standard input where `path` is `-`.
///
/// # Errors
/// A file that cannot be read, is no JSON, or lacks fields, has unknown ones or wrong values: all of them, with their
/// lines.
pub fn read<T: SettingsFile>(path: &Path) -> Result<T> {
    let name = path.display().to_string();
    let mut text = String::new();
    if name == "-" {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    }
    .with_context(|| name.clone())?;
    parse(&text).with_context(|| name)
}

/// See [`read`].
pub fn parse<T: SettingsFile>(text: &str) -> Result<T> {
    let value = check::checked(text, &schemars::schema_for!(T).to_value(), T::WHOLE)?;
    Ok(serde_json::from_value(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_explained_example_is_the_example() {
        let schema = schemars::schema_for!(Settings).to_value();
        let text = example::explained(&Settings::example(), &schema).unwrap();
        assert_eq!(parse::<Settings>(&text).unwrap(), Settings::example());
    }

    #[test]
    fn every_field_and_every_choice_is_named_and_explained() {
        let schema = schemars::schema_for!(Settings).to_value();
        let text = example::explained(&Settings::example(), &schema).unwrap();
        let mut fields = 0;
        for definition in schema["$defs"].as_object().unwrap().values() {
            for (name, field) in definition["properties"].as_object().into_iter().flatten() {
                let key = format!("\"{name}\": ");
                assert!(text.contains(&key), "{name} is not in the example");
                assert!(
                    field["description"]
                        .as_str()
                        .is_some_and(|words| words.len() > 3),
                    "{name} has no docstring"
                );
                fields += 1;
            }
            for choice in definition["oneOf"].as_array().into_iter().flatten() {
                let name = shape::choice_name(choice).unwrap();
                assert!(
                    text.contains(&format!("\"{name}\"")),
                    "{name} is not in the example"
                );
            }
        }
        // Those of a session, a run, an optimizer, its preconditioner and schedule, and the data's.
        assert!(fields > 30, "{fields} fields");
    }

    #[test]
    fn all_mistakes_are_told_at_once_with_their_lines() {
        let text = r#"{
  // Comments are fine.
  "session": {
    "rank": 8.5, "alpha": 16, "dropout": 0, "targets": ["q_proj", "x_proj"],
    "batchsize": 4,
    "steps": 10, "seed": -1, "steps": 11,
    "runs": [
      { "name": "AdamW", "colour": 1, "optimizer": {
        "rule": "adam", "preconditioner": {}, "lr": "1e-3", "lr_ratio_b": 1, "betas": [0.9], "eps": 1e-8,
        "weight_decay": null, "max_grad_norm": null, "schedule": { "warmup_steps": 0, "decay": "constant" } } }
    ]
  },
  "data": { "validation": { "part": 1 }, "seqence_length": 4 },
  "more": 1
}"#;
        let error = format!("{:#}", parse::<Settings>(text).unwrap_err());
        for mistake in [
            "line 3: session lacks batch_size",
            "line 4: session.rank is 8.5; it must be a whole number, 0 or more",
            "line 4: session.targets[1] is \"x_proj\"; it must be \"q_proj\", ",
            "line 5: session.batchsize is no setting",
            "line 6: session.seed is -1; it must be a whole number, 0 or more",
            "line 6: session.steps is there twice",
            "line 8: session.runs[0].colour is no setting",
            "line 9: session.runs[0].optimizer.rule is \"adam\"; it must be \"adamw\", \"sgd\" or \"muon\"",
            "line 9: session.runs[0].optimizer.preconditioner lacks damping",
            "line 9: session.runs[0].optimizer.lr is \"1e-3\"; it must be a number",
            "line 9: session.runs[0].optimizer.betas has 1 value; it must have 2",
            "line 10: session.runs[0].optimizer.weight_decay is null; it must be a number",
            "line 13: data.validation is an object; it must be \"none\", { \"share\": … }, { \"count\": … } or { \"at_most\": … }",
            "line 13: data.seqence_length is no setting",
            "line 14: more is no setting",
        ] {
            assert!(error.contains(mistake), "{mistake}\nis not in\n{error}");
        }
        assert!(error.starts_with("15 mistakes"), "{error}");
        assert!(error.contains("riemann-lora settings"), "{error}");
    }

    #[test]
    fn all_missing_fields_of_a_place_stand_in_one_line() {
        let error = format!("{:#}", parse::<Settings>("{}").unwrap_err());
        assert!(error.contains("line 1: the file lacks session"), "{error}");
        let error = format!(
            "{:#}",
            parse::<Settings>("{ \"session\": {} }").unwrap_err()
        );
        assert!(
            error.contains(
                "session lacks rank, alpha, dropout, targets, batch_size, steps, seed and runs"
            ),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_json_is_told_with_its_line() {
        let error = format!(
            "{:#}",
            parse::<Settings>("{\n  \"session\": {,\n").unwrap_err()
        );
        assert!(error.contains("line 2"), "{error}");
        let error = format!("{:#}", parse::<Settings>("// nothing\n").unwrap_err());
        assert!(error.contains("is empty"), "{error}");
    }
}
