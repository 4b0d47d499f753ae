//! Writes settings with their docstrings as comments.

use std::collections::BTreeSet;

use anyhow::Result;
use jsonc_parser::ast::{Object, Value};
use serde::Serialize;
use serde_json::Value as Json;

use super::{
    check::parsed,
    shape::{Shape, choice_words, shape},
};

/// Longest line of a comment.
const WIDTH: usize = 100;

/// `settings` as JSON, each field under what its docstring says. A type is explained where it stands first.
///
/// # Errors
/// Those of serde.
pub fn explained(settings: &impl Serialize, schema: &Json) -> Result<String> {
    // The text, because it has the fields in the order of the types.
    let text = serde_json::to_string(settings)?;
    let value = parsed(&text, "an example has fields")?;
    let mut writer = Writer {
        root: schema,
        shown: BTreeSet::new(),
        known: BTreeSet::new(),
        out: String::new(),
    };
    writer.look(&value, schema);
    writer.write(&value, schema, 0);
    writer.out.push('\n');
    Ok(writer.out)
}

struct Writer<'a> {
    root: &'a Json,
    /// Types of which there is an object somewhere.
    shown: BTreeSet<&'a str>,
    /// Types whose fields have been explained.
    known: BTreeSet<&'a str>,
    out: String,
}

impl<'a> Writer<'a> {
    fn look(&mut self, value: &Value, schema: &'a Json) {
        match (value, shape(self.root, schema).0) {
            (Value::Object(object), Shape::Object { name, fields, .. }) => {
                self.shown.extend(name);
                for property in &object.properties {
                    self.look(&property.value, &fields[property.name.as_str()]);
                }
            }
            (Value::Array(array), Shape::List { items, .. }) => {
                for element in &array.elements {
                    self.look(element, items);
                }
            }
            _ => {}
        }
    }

    fn write(&mut self, value: &Value, schema: &'a Json, depth: usize) {
        match (value, shape(self.root, schema).0) {
            (Value::Object(object), shape @ Shape::Object { .. }) => {
                self.write_fields(object, &shape, depth);
            }
            (Value::Array(array), Shape::List { items, .. })
                if matches!(shape(self.root, items).0, Shape::Object { .. }) =>
            {
                self.out.push('[');
                for (index, element) in array.elements.iter().enumerate() {
                    self.out.push_str(if index == 0 { "" } else { "," });
                    self.line(depth + 1);
                    self.write(element, items, depth + 1);
                }
                self.line(depth);
                self.out.push(']');
            }
            // A space after each comma and colon, as people write.
            (value, _) => self.out.push_str(&inline(value)),
        }
    }

    fn write_fields(&mut self, object: &Object, shape: &Shape<'a>, depth: usize) {
        let Shape::Object {
            name,
            fields,
            required,
            ..
        } = shape
        else {
            return;
        };
        let explain = name.is_none_or(|name| self.known.insert(name));
        self.out.push('{');
        let mut written = BTreeSet::new();
        for property in &object.properties {
            let field = property.name.as_str();
            let schema = &fields[field];
            self.out.push_str(if written.is_empty() { "" } else { "," });
            written.insert(field.to_owned());
            if explain {
                self.explain(schema, required.contains(&field), depth + 1);
            }
            self.line(depth + 1);
            self.out.push_str(&format!("\"{field}\": "));
            self.write(&property.value, schema, depth + 1);
        }
        if explain {
            for (field, schema) in fields.iter().filter(|(name, _)| !written.contains(*name)) {
                self.explain(schema, false, depth + 1);
                self.line(depth + 1);
                self.out.push_str(&format!("// \"{field}\": null"));
            }
        }
        self.line(depth);
        self.out.push('}');
    }

    /// Comments of one field.
    fn explain(&mut self, schema: &'a Json, required: bool, depth: usize) {
        let mut words = in_json(schema["description"].as_str().unwrap_or_default());
        if !required {
            words.push_str(&match schema.get("default") {
                Some(Json::Object(_) | Json::Null) | None => " May be left out.".to_owned(),
                Some(default) => format!(" {default} where it is left out."),
            });
        }
        self.comment(&words, depth, "");
        let (mut of_value, _) = shape(self.root, schema);
        if let Shape::List { items, .. } = of_value {
            of_value = shape(self.root, items).0;
        }
        match of_value {
            Shape::Choice(choices) => {
                for choice in choices {
                    self.about(&choice_words(choice), choice, depth);
                }
            }
            // What is null wherever it stands is explained without being there.
            Shape::Object {
                name: Some(name),
                fields,
                ..
            } if !self.shown.contains(name) => {
                for (field, schema) in fields {
                    self.about(&format!("\"{field}\""), schema, depth);
                }
            }
            _ => {}
        }
    }

    fn about(&mut self, what: &str, schema: &Json, depth: usize) {
        let words = in_json(schema["description"].as_str().unwrap_or_default());
        self.comment(&format!("{what}: {words}"), depth, "  ");
    }

    fn comment(&mut self, words: &str, depth: usize, indent: &str) {
        let mut line = String::new();
        for word in words.split_whitespace() {
            if !line.is_empty() && line.chars().count() + word.chars().count() + 2 * depth > WIDTH {
                self.comment_line(&line, depth, indent);
                line = "  ".repeat(usize::from(!indent.is_empty()));
            }
            line.push_str(if line.trim().is_empty() { "" } else { " " });
            line.push_str(word);
        }
        self.comment_line(&line, depth, indent);
    }

    fn comment_line(&mut self, line: &str, depth: usize, indent: &str) {
        self.line(depth);
        self.out.push_str(&format!("// {indent}{line}"));
    }

    fn line(&mut self, depth: usize) {
        self.out.push('\n');
        self.out.push_str(&"  ".repeat(depth));
    }
}

/// A docstring in the words of JSON instead of Rust's.
fn in_json(docstring: &str) -> String {
    docstring
        .replace("`None`", "null")
        .replace("[`", "`")
        .replace("`]", "`")
}

/// On one line.
fn inline(value: &Value) -> String {
    let list =
        |open: &str, parts: Vec<String>, close: &str| format!("{open}{}{close}", parts.join(", "));
    match value {
        Value::Array(array) => list("[", array.elements.iter().map(inline).collect(), "]"),
        Value::Object(object) => {
            let field = |name: &str, value| format!("\"{name}\": {}", inline(value));
            let fields = object.properties.iter();
            list(
                "{ ",
                fields
                    .map(|one| field(one.name.as_str(), &one.value))
                    .collect(),
                " }",
            )
        }
        Value::StringLit(text) => Json::from(text.value.as_ref()).to_string(),
        Value::NumberLit(number) => number.value.to_owned(),
        Value::BooleanLit(flag) => flag.value.to_string(),
        Value::NullKeyword(_) => "null".to_owned(),
    }
}
