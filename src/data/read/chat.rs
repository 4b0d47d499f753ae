//! Conversations, in the forms in which people keep them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::meant;
use crate::data::conversation::Conversation;
use crate::data::skipped::{RowError, SkipReason};
use crate::load::ChatMessage;

/// Fields that hold a conversation: OpenAI's name, and ShareGPT's.
pub(super) const MESSAGES: [&str; 3] = ["messages", "conversations", "conversation"];

/// Names of who speaks, and what the chat templates call them.
pub type Roles = BTreeMap<String, String>;

/// Names in common use for the roles of chat templates; others are handed to the template as they are.
pub fn known_roles() -> Roles {
    [
        ("human", "user"),
        ("prompter", "user"),
        ("gpt", "assistant"),
        ("chatgpt", "assistant"),
        ("bot", "assistant"),
        ("bing", "assistant"),
        ("model", "assistant"),
        ("ai", "assistant"),
        ("function_response", "tool"),
        ("observation", "tool"),
    ]
    .map(|(name, role)| (name.to_owned(), role.to_owned()))
    .into()
}

/// The conversation of a list of messages.
///
/// # Errors
/// [`RowError`] of a message of another form, or of a field that means something and is not computed.
pub(super) fn read(
    messages: &Value,
    tools: Option<Value>,
    roles: &Roles,
) -> Result<Conversation, RowError> {
    let list = messages.as_array().ok_or_else(|| {
        RowError::field(
            "has messages that are no list; write a list of objects with `role` and `content`",
        )
    })?;
    let messages = list
        .iter()
        .enumerate()
        .map(|(index, message)| {
            self::message(message, roles).map_err(|problem| {
                RowError::field(format!("has a message {} {problem}", index + 1))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if !messages.iter().any(ChatMessage::is_assistant) {
        return Err(RowError::new(
            SkipReason::NoAnswer,
            format!(
                "has no assistant message ({}); there is nothing to learn from it",
                said_by(&messages)
            ),
        ));
    }
    Ok(Conversation { messages, tools })
}

fn said_by(messages: &[ChatMessage]) -> String {
    if messages.is_empty() {
        return "no message at all".to_owned();
    }
    let mut names: Vec<&str> = messages
        .iter()
        .map(|message| message.role.as_str())
        .collect();
    names.dedup();
    format!("only {}", names.join(", "))
}

fn message(message: &Value, roles: &Roles) -> Result<ChatMessage, String> {
    let Value::Object(fields) = message else {
        return Err("that is no object; write one with `role` and `content`".to_owned());
    };
    let mut more = fields.clone();
    let mut take = |names: [&str; 2]| {
        let name = names.into_iter().find(|name| fields.contains_key(*name))?;
        more.shift_remove(name)
    };
    let role = match take(["role", "from"]) {
        Some(Value::String(role)) => roles.get(&role).cloned().unwrap_or(role),
        _ => return Err("without a `role` that is text".to_owned()),
    };
    let content = content(take(["content", "value"]))?;
    let learned = learned(&mut more)?;
    for name in meant::NOT_IN_MESSAGES.iter().chain(&meant::NO_TEXT) {
        match more.shift_remove(*name) {
            Some(value) if !meant::says_nothing(&value.to_string()) => {
                return Err(format!(
                    "with the field `{name}`, which is not used; only text can be trained on, and what of it is learned is \
                     said by `train`: true or false"
                ));
            }
            _ => {}
        }
    }
    if has(&more, "function_call") {
        return Err(
            "with a `function_call`, which is not supported; write it as `tool_calls`".to_owned(),
        );
    }
    // Null is how exports write that there is none, and templates ask whether it is there.
    more.retain(|_, value| !value.is_null());
    if more
        .get("tool_calls")
        .is_some_and(|calls| calls.as_array().is_none_or(Vec::is_empty))
    {
        more.shift_remove("tool_calls");
    }
    Ok(ChatMessage {
        more,
        learned,
        ..ChatMessage::new(role, content)
    })
}

/// The words of a message: text, or a list of parts that are all text. Without any it is empty; templates would write "None".
fn content(content: Option<Value>) -> Result<String, String> {
    match content {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(Value::Array(parts)) => parts.iter().map(part).collect(),
        Some(_) => Err("whose `content` is not text; write it as a string".to_owned()),
    }
}

fn part(part: &Value) -> Result<&str, String> {
    match (part, part["type"].as_str()) {
        (Value::String(text), _) => Ok(text),
        (_, None | Some("text" | "input_text" | "output_text")) => part["text"]
            .as_str()
            .ok_or_else(|| "with a part of `content` that has no `text`".to_owned()),
        (_, Some(kind)) => Err(format!(
            "with a part of `content` of the type {kind}; only text can be trained on"
        )),
    }
}

/// Whether `weight` and `train` leave the message in the loss.
fn learned(more: &mut Map<String, Value>) -> Result<bool, String> {
    let weight = match more.shift_remove("weight") {
        None | Some(Value::Null) => true,
        Some(value) => match value.as_f64() {
            Some(0.0) => false,
            Some(1.0) => true,
            _ => {
                return Err(format!(
                    "with the `weight` {value}; only 0 and 1 can be used"
                ));
            }
        },
    };
    let train = match more.shift_remove("train") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(train)) => train,
        Some(value) => return Err(format!("with `train` {value}; write true or false")),
    };
    Ok(weight && train)
}

fn has(fields: &Map<String, Value>, name: &str) -> bool {
    fields.get(name).is_some_and(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problem(messages: Value) -> String {
        read(&messages, None, &known_roles()).unwrap_err().problem
    }

    #[test]
    fn names_of_roles_and_forms_of_contents() {
        let messages = json!([
            {"from": "human", "value": "a"},
            {"from": "gpt", "value": "b"},
            {"role": "user", "content": [{"type": "text", "text": "c"}, {"type": "text", "text": "d"}]},
            {"role": "assistant", "content": " e\n", "weight": 0},
            {"role": "narrator", "content": "f", "name": "x"}
        ]);
        let read = read(&messages, None, &known_roles()).unwrap().messages;
        let shown: Vec<(&str, &str, bool)> = read
            .iter()
            .map(|message| {
                (
                    message.role.as_str(),
                    message.content.as_str(),
                    message.learned,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("user", "a", true),
                ("assistant", "b", true),
                ("user", "cd", true),
                ("assistant", " e\n", false),
                ("narrator", "f", true)
            ]
        );
        assert_eq!(read[4].more["name"], "x");
        let calls = json!([{"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "add"}}]}]);
        let read = super::read(&calls, None, &known_roles()).unwrap().messages;
        assert_eq!(read[0].content, "");
        assert_eq!(read[0].more["tool_calls"][0]["function"]["name"], "add");
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (messages, words) in [
            (json!({}), "has messages that are no list"),
            (json!([]), "has no assistant message (no message at all)"),
            (
                json!([{"role": "system", "content": "x"}]),
                "has no assistant message (only system)",
            ),
            (json!(["x"]), "has a message 1 that is no object"),
            (
                json!([{"content": "x"}]),
                "has a message 1 without a `role`",
            ),
            (
                json!([{"role": "assistant", "content": 3}]),
                "has a message 1 whose `content` is not text",
            ),
            (
                json!([{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]),
                "has a message 1 with a part of `content` of the type image_url",
            ),
            (
                json!([{"role": "assistant", "content": "x", "weight": 0.5}]),
                "has a message 1 with the `weight` 0.5",
            ),
            (
                json!([{"role": "assistant", "content": "", "function_call": {"name": "f"}}]),
                "has a message 1 with a `function_call`",
            ),
        ] {
            let problem = problem(messages);
            assert!(problem.starts_with(words), "{problem}");
        }
    }
}
