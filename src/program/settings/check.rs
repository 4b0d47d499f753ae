//! Finds all mistakes of a settings file at once.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow, bail};
use jsonc_parser::{
    CollectOptions, ParseOptions,
    ast::{Object, Value},
    common::Ranged,
    parse_to_ast,
};
use serde_json::Value as Json;

use super::super::counted::counted;
use super::shape::{Shape, choice_content, choice_name, choice_words, shape};

/// JSON as it is, and comments.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: false,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// The value of a JSON text that is what `schema` allows; `whole` says where a whole file is to be seen.
///
/// # Errors
/// All mistakes, with their lines.
pub fn checked(text: &str, schema: &Json, whole: &str) -> Result<Json> {
    let value = parsed(text, whole)?;
    let mut checker = Checker {
        text,
        root: schema,
        mistakes: BTreeSet::new(),
    };
    checker.check(&value, schema, "");
    if checker.mistakes.is_empty() {
        return Ok(value.into());
    }
    let count = checker.mistakes.len();
    let lines: String = (checker.mistakes.iter())
        .map(|(line, words)| format!("\n  line {line}: {words}"))
        .collect();
    bail!("{}{lines}\n{whole}", counted(count, "mistake"))
}

/// A JSON text with comments; `whole` as for [`checked`].
pub fn parsed<'a>(text: &'a str, whole: &str) -> Result<Value<'a>> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &OPTIONS);
    let value = parsed.map_err(|error| {
        anyhow!(
            "line {}, column {}: {}",
            error.line_display(),
            error.column_display(),
            error.kind()
        )
    })?;
    (value.value).ok_or_else(|| anyhow!("the file is empty; {whole}"))
}

struct Checker<'a> {
    text: &'a str,
    root: &'a Json,
    mistakes: BTreeSet<(usize, String)>,
}

impl Checker<'_> {
    fn tell(&mut self, place: &impl Ranged, words: String) {
        let before = &self.text[..place.range().start];
        self.mistakes
            .insert((before.matches('\n').count() + 1, words));
    }

    fn check(&mut self, value: &Value, schema: &Json, path: &str) {
        let (shape, null) = shape(self.root, schema);
        let fits = match (value, &shape) {
            (Value::NullKeyword(_), Shape::Any) => true,
            (Value::NullKeyword(_), _) => null,
            (Value::Object(object), Shape::Object { .. }) => {
                self.check_fields(object, &shape, path);
                true
            }
            (Value::Array(array), Shape::List { items, length }) => {
                let found = array.elements.len();
                if let Some(length) = length.filter(|length| *length != found) {
                    let s = if found == 1 { "" } else { "s" };
                    let words = format!("{path} has {found} value{s}; it must have {length}");
                    self.tell(array, words);
                }
                for (index, element) in array.elements.iter().enumerate() {
                    self.check(element, items, &format!("{path}[{index}]"));
                }
                true
            }
            (Value::StringLit(text), Shape::Choice(choices)) => {
                (choices.iter()).any(|choice| choice["const"].as_str() == Some(text.value.as_ref()))
            }
            (Value::Object(object), Shape::Choice(choices)) => {
                let content = match &object.properties[..] {
                    [one] => (choices.iter().filter_map(choice_content))
                        .find(|(name, _)| *name == one.name.as_str())
                        .map(|(name, schema)| (name, schema, &one.value)),
                    _ => None,
                };
                if let Some((name, schema, value)) = content {
                    self.check(value, schema, &join(path, name));
                }
                content.is_some()
            }
            (_, Shape::Either(schemas)) => {
                let meant = (schemas.iter()).find(|schema| {
                    matches!(
                        (value, self::shape(self.root, schema).0),
                        (Value::Object(_), Shape::Object { .. })
                            | (Value::Array(_), Shape::List { .. })
                    )
                });
                if let Some(schema) = meant {
                    self.check(value, schema, path);
                }
                meant.is_some()
            }
            (Value::NumberLit(number), Shape::Whole(least)) => number
                .value
                .parse::<i64>()
                .is_ok_and(|number| number >= *least),
            (Value::NumberLit(_), Shape::Number)
            | (Value::StringLit(_), Shape::Text)
            | (Value::BooleanLit(_), Shape::Flag)
            | (_, Shape::Any) => true,
            _ => false,
        };
        if !fits {
            let allowed = allowed(self.root, &shape, null);
            let place = if path.is_empty() { "the file" } else { path };
            self.tell(
                value,
                format!("{place} is {}; it must be {allowed}", found(value)),
            );
        }
    }

    fn check_fields(&mut self, object: &Object, shape: &Shape, path: &str) {
        let Shape::Object {
            fields, required, ..
        } = shape
        else {
            return;
        };
        let mut seen = BTreeSet::new();
        for property in &object.properties {
            let name = property.name.as_str();
            let place = join(path, name);
            if !seen.insert(name.to_owned()) {
                self.tell(property, format!("{place} is there twice"));
            }
            match fields.get(name) {
                Some(schema) => self.check(&property.value, schema, &place),
                // Also where serde would pass over it: what is written is meant.
                None => self.tell(property, format!("{place} is no setting")),
            }
        }
        let missing: Vec<String> = (required.iter())
            .filter(|name| !seen.contains(**name))
            .map(|name| (*name).to_owned())
            .collect();
        if !missing.is_empty() {
            let place = if path.is_empty() { "the file" } else { path };
            self.tell(object, format!("{place} lacks {}", listed(&missing, "and")));
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// `a, b and c`.
fn listed(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

fn found(value: &Value) -> String {
    match value {
        Value::StringLit(text) => format!("{:?}", text.value),
        Value::NumberLit(number) => number.value.to_owned(),
        Value::BooleanLit(flag) => flag.value.to_string(),
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::NullKeyword(_) => "null".to_owned(),
    }
}

fn allowed(root: &Json, shape: &Shape, null: bool) -> String {
    let mut words = match shape {
        Shape::Object { .. } => vec!["an object".to_owned()],
        Shape::List { .. } => vec!["a list".to_owned()],
        Shape::Whole(i64::MIN) => vec!["a whole number".to_owned()],
        Shape::Whole(least) => vec![format!("a whole number, {least} or more")],
        Shape::Number => vec!["a number".to_owned()],
        Shape::Text => vec!["a text".to_owned()],
        Shape::Flag => vec!["true".to_owned(), "false".to_owned()],
        Shape::Any => vec!["something else".to_owned()],
        Shape::Choice(choices) => (choices.iter())
            .filter(|choice| choice_name(choice).is_some())
            .map(choice_words)
            .collect(),
        Shape::Either(schemas) => (schemas.iter())
            .map(|schema| allowed(root, &self::shape(root, schema).0, false))
            .collect(),
    };
    if null {
        words.push("null".to_owned());
    }
    listed(&words, "or")
}
