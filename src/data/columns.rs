//! Which fields of a table or of JSON lines are the prompt and the completion.

use serde::{Deserialize, Serialize};

/// Names of the fields that make a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Columns {
    /// Fields of the prompt, joined by line ends; an empty or missing one but the first is left out.
    pub prompt: Vec<String>,
    /// Field of the completion.
    pub completion: String,
}

/// Names in common use, tried in this order, with an optional second field of the prompt.
const KNOWN: [(&str, Option<&str>, &str); 11] = [
    ("prompt", Some("context"), "completion"),
    ("prompt", Some("context"), "response"),
    ("question", Some("context"), "answer"),
    ("question", Some("context"), "response"),
    ("query", Some("context"), "response"),
    ("instruction", Some("input"), "output"),
    ("instruction", Some("context"), "response"),
    ("input", None, "output"),
    ("input", None, "target"),
    ("inputs", None, "targets"),
    ("source", None, "target"),
];

impl Columns {
    /// One field for the prompt and one for the completion.
    pub fn new(prompt: impl Into<String>, completion: impl Into<String>) -> Self {
        Self {
            prompt: vec![prompt.into()],
            completion: completion.into(),
        }
    }

    /// The pair of names in common use that `names` has, if any; upper and lower case are the same.
    pub fn guess<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        let find = |wanted: &str| {
            names
                .clone()
                .find(|name| name.trim().eq_ignore_ascii_case(wanted))
                .map(str::to_owned)
        };
        KNOWN.iter().find_map(|(prompt, second, completion)| {
            let first = find(prompt)?;
            let completion = find(completion)?;
            let second = second.and_then(find);
            Some(Self {
                prompt: [first].into_iter().chain(second).collect(),
                completion,
            })
        })
    }

    /// The names that [`Columns::guess`] knows, for messages.
    pub(super) fn known() -> String {
        KNOWN
            .iter()
            .map(|(prompt, _, completion)| format!("{prompt}/{completion}"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(names: &[&str]) -> Option<Columns> {
        Columns::guess(names.iter().copied())
    }

    #[test]
    fn guesses_names_in_common_use() {
        assert_eq!(
            guess(&["id", "Completion", "Prompt"]),
            Some(Columns::new("Prompt", "Completion"))
        );
        assert_eq!(
            guess(&["output", "input", "instruction"]),
            Some(Columns {
                prompt: vec!["instruction".into(), "input".into()],
                completion: "output".into()
            })
        );
        assert_eq!(
            guess(&["instruction", "output"]),
            Some(Columns::new("instruction", "output"))
        );
        assert_eq!(guess(&["prompt", "text"]), None);
    }
}
