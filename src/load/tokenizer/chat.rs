//! Chat templates: Jinja, in the dialect that Hugging Face transformers gives them.

use std::borrow::Cow;

use minijinja::machinery::get_compiled_template;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{Environment, Error, ErrorKind};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    python_json, template_date, template_growth,
    template_limits::{explained, set_limits},
    template_tags,
};

/// Names under which files keep what an assistant thinks before it answers; the first one is what templates read.
const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChatMessage {
    /// Who speaks: `system`, `user` or `assistant` in most templates.
    pub role: String,
    /// What is said.
    pub content: String,
    /// What else the template is given of it, such as `tool_calls`.
    #[serde(flatten)]
    pub more: Map<String, Value>,
    /// Whether it is learned, if the assistant says it.
    #[serde(skip)]
    pub learned: bool,
}

impl ChatMessage {
    /// A turn of `role`.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            content: content.into(),
            more: Map::new(),
            learned: true,
        }
    }

    /// Whether the model says it; only such turns count in the loss.
    pub fn is_assistant(&self) -> bool {
        self.role == "assistant"
    }

    /// With its thought under both names that templates read, as transformers hands it to them.
    fn with_reasoning(&self) -> Cow<'_, Self> {
        let mut names = REASONING.iter();
        let Some(thought) = names.find_map(|name| self.more.get(*name).filter(|it| !it.is_null()))
        else {
            return Cow::Borrowed(self);
        };
        let mut message = self.clone();
        let thinking = message.more.entry("thinking");
        thinking.or_insert_with(|| thought.clone());
        message
            .more
            .insert("reasoning_content".to_owned(), thought.clone());
        Cow::Owned(message)
    }
}

/// The variables of a template.
///
/// A token that the model does not have is absent and not null, because a null would be written out as "none".
#[derive(Debug, Serialize)]
pub struct Context<'a> {
    /// The conversation.
    pub messages: &'a [ChatMessage],
    /// Functions that the model may call; transformers passes null when there are none.
    pub tools: Option<&'a Value>,
    /// Whether to end with the beginning of the assistant's answer.
    pub add_generation_prompt: bool,
    /// Text of the token that begins a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bos_token: Option<String>,
    /// Text of the token that ends a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eos_token: Option<String>,
    /// Text of the token that fills up batches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pad_token: Option<String>,
}

impl Context<'_> {
    /// Bytes of all that a template is given.
    fn bytes(&self) -> usize {
        let json = |value: &Value| value.to_string().len();
        let of = |message: &ChatMessage| {
            let more = message.more.values().map(json).sum::<usize>();
            message.role.len() + message.content.len() + more
        };
        self.messages.iter().map(of).sum::<usize>() + self.tools.map_or(0, json)
    }
}

/// Renders `template` as `apply_chat_template` of transformers does.
///
/// `strftime_now` always gives the same day ([`template_date`]).
///
/// # Errors
/// A malformed template, one that calls `raise_exception`, or that does not end within the limits of
/// [`template_limits`](super::template_limits).
pub fn render(template: &str, context: &Context<'_>) -> Result<String, Error> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    let syntax = syntax.trim_blocks(true).lstrip_blocks(true).build()?;
    environment.set_syntax(syntax.clone());
    let bytes = context.bytes();
    set_limits(&mut environment, context.messages.len(), bytes);
    environment.add_function(
        "raise_exception",
        |message: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        },
    );
    environment.add_function("strftime_now", template_date::strftime_now);
    environment.add_filter("tojson", python_json::filter);
    environment.add_test("iterable", is_iterable);
    environment.add_test("sequence", is_sequence);
    // transformers passes them as null when there are none.
    environment.add_global("documents", ());
    let template = without_generation_tags(template);
    template_tags::check_lengths(&template, syntax)?;
    let messages: Vec<_> = context
        .messages
        .iter()
        .map(ChatMessage::with_reasoning)
        .collect();
    let context = minijinja::context! { messages => Serde(messages), ..minijinja::Value::from(Serde(context)) };
    let template = environment.template_from_named_str("chat_template", &template)?;
    let compiled = get_compiled_template(&template);
    template_tags::check_blocks(compiled)?;
    template_growth::render(&environment, compiled, context).map_err(explained)
}

/// Whether Python can go through a value: not through nothing, where minijinja goes through no elements.
fn is_iterable(value: &minijinja::Value) -> bool {
    !value.is_none() && value.try_iter().is_ok()
}

/// Whether a value has a length and elements, as texts and mappings have in Python too.
fn is_sequence(value: &minijinja::Value) -> bool {
    let kinds = [
        ValueKind::Seq,
        ValueKind::String,
        ValueKind::Map,
        ValueKind::Undefined,
    ];
    kinds.contains(&value.kind())
}

/// Replaces the tag with which some templates mark the assistant's words by one without effect.
///
/// `generation` is an extension of transformers; a condition that always holds keeps the whitespace rules of a tag.
fn without_generation_tags(template: &str) -> String {
    let mut result = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start);
        result.push_str(before);
        // The end may not begin inside the two letters of the beginning: `{%}` is no tag.
        let Some(length) = tag["{%".len()..].find("%}").map(|at| at + "{%".len()) else {
            rest = tag;
            break;
        };
        let (tag, after) = tag.split_at(length);
        let name =
            tag["{%".len()..].trim_matches(|c: char| c == '-' || c == '+' || c.is_whitespace());
        match name {
            "generation" => result.push_str(&tag.replacen("generation", "if true", 1)),
            "endgeneration" => result.push_str(&tag.replacen("endgeneration", "endif", 1)),
            _ => result.push_str(tag),
        }
        rest = after;
    }
    result.push_str(rest);
    result
}
