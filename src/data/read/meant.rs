//! Fields beside a pair, a conversation or a text that mean something: they are used, or refused by their names.

use super::RowError;

/// What is said before everything else about how to answer.
pub(super) const SYSTEM: [&str; 2] = ["system", "system_prompt"];

/// What is no text: it is used in no row and no message.
pub(super) const NO_TEXT: [&str; 6] = ["image", "images", "video", "videos", "audio", "audios"];

/// What else is used in no row.
pub(super) const NOWHERE: [&str; 5] = [
    "functions",
    "weight",
    "train",
    "documents",
    "chat_template_kwargs",
];

/// What is used in conversations only.
pub(super) const NOT_IN_PAIRS: [&str; 4] = ["tools", "tool_calls", "history", "messages"];

/// What is used in pairs only.
pub(super) const NOT_IN_CHATS: [&str; 2] = ["context", "history"];

/// In a message: other names of `train`.
pub(super) const NOT_IN_MESSAGES: [&str; 5] =
    ["loss", "loss_mask", "mask", "trainable", "training"];

/// Whether a name of a file is `wanted`, as names of columns are.
pub(super) fn is(name: &str, wanted: &str) -> bool {
    name.trim().eq_ignore_ascii_case(wanted)
}

/// Whether a value, as JSON or a table write it, says no more than nothing at all.
pub(super) fn says_nothing(value: &str) -> bool {
    ["", "null", "[]", "{}", "\"\"", "1", "1.0", "true", "True"].contains(&value.trim())
}

/// What is said of a field that would be passed over.
pub(super) fn refused(name: &str) -> RowError {
    RowError::field(format!(
        "has the field `{name}`, which is not used in such rows; remove it, or choose the columns to say that it does not count"
    ))
}

/// The one thing that is said before everything else, of the fields of [`SYSTEM`].
///
/// # Errors
/// [`RowError`] where they say two.
pub(super) fn system(said: impl Iterator<Item = String>) -> Result<Option<String>, RowError> {
    let mut said = said.filter(|text| !text.is_empty());
    let Some(first) = said.next() else {
        return Ok(None);
    };
    match said.all(|other| other == first) {
        true => Ok(Some(first)),
        false => Err(two_systems()),
    }
}

/// What is said of two systems.
pub(super) fn two_systems() -> RowError {
    RowError::field(
        "says two different things as the system (`system`, `system_prompt` or a first message); keep one",
    )
}
