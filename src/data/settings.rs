//! What the user chooses about the data.

use serde::{Deserialize, Serialize};

use super::columns::Columns;
use super::decode::Encoding;
use super::detect::Format;
use super::error::DataError;
use super::example::LossOn;
use super::prompt::{PromptStyle, SEPARATOR};
use super::read::{Roles, known_roles};

/// What is kept out unless something else is asked for: enough for a loss that is not noise, and never so many that
/// measuring it takes longer than training.
pub const DEFAULT_VALIDATION: Validation = Validation::AtMost {
    share: 0.1,
    count: 64,
};

/// Longest sequence that can be asked for, in tokens.
pub const MAXIMUM_SEQUENCE_LENGTH: usize = 1 << 16;

/// How a file becomes training and validation examples. Missing fields have the defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct DataSettings {
    /// Format of the files; detected where `None`.
    pub format: Option<Format>,
    /// How the letters of the files are written, where no byte order mark says it; UTF-8 where `None`.
    pub encoding: Option<Encoding>,
    /// Fields of the pair in JSON and tables; guessed where `None`.
    pub columns: Option<Columns>,
    /// What the names of those who speak in conversations are to the chat template, which knows system, user, assistant
    /// and perhaps tool. Names that are not here are handed to it as they are.
    pub roles: Roles,
    /// Where documents of plain text end.
    pub documents: DocumentBreak,
    /// How a pair is written for the model.
    pub prompt_style: PromptStyle,
    /// What stands between prompt and completion of a plain pair.
    pub separator: String,
    /// Which tokens are labels.
    pub loss_on: LossOn,
    /// Most tokens of an example; what is longer is cut at the end. Plain text is cut into windows of so many.
    pub sequence_length: usize,
    /// Which examples are kept out of training. A separate validation file takes the place of this.
    pub validation: Validation,
    /// Most examples that are made of each file, from its beginning; all where `None`.
    pub maximum_examples: Option<usize>,
    /// Seed of the split and of the order of training.
    pub seed: u32,
}

impl Default for DataSettings {
    fn default() -> Self {
        Self {
            format: None,
            encoding: None,
            columns: None,
            roles: known_roles(),
            documents: DocumentBreak::File,
            prompt_style: PromptStyle::Plain,
            separator: SEPARATOR.to_owned(),
            loss_on: LossOn::Completion,
            sequence_length: 128,
            validation: DEFAULT_VALIDATION,
            maximum_examples: None,
            seed: 0,
        }
    }
}

impl DataSettings {
    /// Whether the numbers make sense together.
    ///
    /// # Errors
    /// [`DataError`] with the number and its bounds.
    pub fn validate(&self) -> Result<(), DataError> {
        if !(2..=MAXIMUM_SEQUENCE_LENGTH).contains(&self.sequence_length) {
            return Err(DataError::new(format!(
                "a sequence length of {} tokens cannot be trained; choose 2 to {MAXIMUM_SEQUENCE_LENGTH}",
                self.sequence_length
            )));
        }
        if let Validation::Share(share) | Validation::AtMost { share, .. } = self.validation
            && !(0.0..1.0).contains(&share)
        {
            return Err(DataError::new(format!(
                "a validation share of {share} leaves nothing to train on; choose at least 0 and less than 1"
            )));
        }
        if self.maximum_examples == Some(0) {
            return Err(DataError::new(
                "at most 0 examples leaves nothing to train on; choose at least 1, or no limit",
            ));
        }
        if let Some(columns) = &self.columns
            && columns.prompt.is_empty()
        {
            return Err(DataError::new(
                "no column is chosen for the prompt; choose at least one",
            ));
        }
        Ok(())
    }
}

/// Where documents of plain text end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub enum DocumentBreak {
    /// The whole file is one document.
    File,
    /// One or more blank lines end a document.
    BlankLine,
}

/// Which examples are kept out of training to measure the loss on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub enum Validation {
    /// None.
    None,
    /// This share of all examples, at least 0 and less than 1.
    Share(f64),
    /// This many examples.
    Count(usize),
    /// A share of all examples, at least 0 and less than 1, but no more than a count of them. One example is always left
    /// to train on.
    AtMost {
        /// The share.
        share: f64,
        /// The count.
        count: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_fields_have_defaults_and_unknown_ones_are_refused() {
        let settings: DataSettings = serde_json::from_str(
            r#"{"sequence_length": 64, "validation": {"count": 5}, "format": "json_lines"}"#,
        )
        .unwrap();
        let expected = DataSettings {
            sequence_length: 64,
            validation: Validation::Count(5),
            format: Some(Format::JsonLines),
            ..DataSettings::default()
        };
        assert_eq!(settings, expected);
        let again: DataSettings =
            serde_json::from_str(&serde_json::to_string(&expected).unwrap()).unwrap();
        assert_eq!(again, expected);
        assert!(serde_json::from_str::<DataSettings>(r#"{"sequence": 64}"#).is_err());
    }

    #[test]
    fn bounds() {
        let with = |change: fn(&mut DataSettings)| {
            let mut settings = DataSettings::default();
            change(&mut settings);
            settings.validate().map_err(|error| error.to_string())
        };
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(
            with(|settings| settings.validation = Validation::Share(0.0)),
            Ok(())
        );
        let bad: [fn(&mut DataSettings); 7] = [
            |settings| settings.sequence_length = 1,
            |settings| settings.sequence_length = MAXIMUM_SEQUENCE_LENGTH + 1,
            |settings| settings.validation = Validation::Share(1.0),
            |settings| settings.validation = Validation::Share(f64::NAN),
            |settings| {
                settings.validation = Validation::AtMost {
                    share: 1.0,
                    count: 1,
                }
            },
            |settings| settings.maximum_examples = Some(0),
            |settings| {
                settings.columns = Some(Columns {
                    prompt: vec![],
                    completion: "b".into(),
                })
            },
        ];
        for change in bad {
            assert!(with(change).is_err());
        }
    }
}
