use thiserror::Error;

/// Why a theory experiment cannot run.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TheoryError {
    /// A setting out of its range.
    #[error("{field} must be {range}, and is {value}")]
    Setting {
        /// The setting's name.
        field: &'static str,
        /// What it may be.
        range: String,
        /// What it is.
        value: String,
    },
}

impl TheoryError {
    /// The setting that it is about.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Setting { field, .. } => field,
        }
    }
}

/// Refuses what does not hold.
pub(super) fn must(
    holds: bool,
    field: &'static str,
    range: impl Into<String>,
    value: impl ToString,
) -> Result<(), TheoryError> {
    if holds {
        return Ok(());
    }
    Err(TheoryError::Setting {
        field,
        range: range.into(),
        value: value.to_string(),
    })
}
