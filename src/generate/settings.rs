//! What can be asked of a model that writes.

use serde::{Deserialize, Serialize};

use crate::optim::SettingError;

/// What to write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SampleSettings {
    /// The user's words.
    pub prompt: String,
    /// Whether the prompt is a turn of a chat.
    pub chat: bool,
    /// Most tokens to write.
    pub max_tokens: u32,
    /// 0 is greedy.
    pub temperature: f64,
    /// Keep only the k likeliest tokens; 0 keeps all.
    pub top_k: u32,
    /// Keep the likeliest tokens that make up this share; 1 keeps all.
    pub top_p: f64,
    /// Seed of the choices.
    pub seed: u32,
    /// An answer ends before the first of these that would come in it.
    #[serde(default)]
    pub stop: Vec<String>,
    /// Whether the base answers too.
    pub include_base: bool,
}

impl SampleSettings {
    /// Checks what tokens are chosen by.
    ///
    /// # Errors
    /// The first setting out of range, with its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let (temperature, top_p) = (self.temperature, self.top_p);
        let holds = temperature.is_finite() && temperature >= 0.0;
        SettingError::unless(holds, "temperature", temperature, "a number, 0 or larger")?;
        let holds = (0.0..=1.0).contains(&top_p);
        SettingError::unless(holds, "top_p", top_p, "between 0 and 1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_and_shares_out_of_range_are_refused() {
        let refused = |temperature, top_p| {
            let settings = SampleSettings {
                prompt: String::new(),
                chat: false,
                max_tokens: 1,
                temperature,
                top_k: 0,
                top_p,
                seed: 0,
                stop: Vec::new(),
                include_base: false,
            };
            settings.validate().err().map(|error| error.to_string())
        };
        let number = "it must be a number, 0 or larger";
        assert_eq!(
            refused(f64::NAN, 1.0),
            Some(format!("temperature is NaN; {number}"))
        );
        assert_eq!(
            refused(-1.0, 1.0),
            Some(format!("temperature is -1; {number}"))
        );
        assert_eq!(
            refused(f64::INFINITY, 1.0),
            Some(format!("temperature is inf; {number}"))
        );
        let share = "it must be between 0 and 1";
        assert_eq!(refused(1.0, 2.0), Some(format!("top_p is 2; {share}")));
        assert_eq!(
            refused(1.0, f64::NAN),
            Some(format!("top_p is NaN; {share}"))
        );
        assert_eq!(refused(0.0, 0.0), None);
        assert_eq!(refused(1e300, 1.0), None);
    }
}
