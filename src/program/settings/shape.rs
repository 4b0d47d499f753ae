//! What a schema allows, in the few forms that schemas of serde's types have.

use serde_json::{Map, Value};

/// What a value may be, apart from null.
pub enum Shape<'a> {
    /// An object with these fields, and no others.
    Object {
        /// Name in the schema, of what is not the file itself.
        name: Option<&'a str>,
        /// Schemas by name.
        fields: &'a Map<String, Value>,
        /// Those that may not be left out, in their order.
        required: Vec<&'a str>,
    },
    /// A list.
    List {
        /// Of each value.
        items: &'a Value,
        /// How many, where that is fixed.
        length: Option<usize>,
    },
    /// One of several, each with its schema.
    Choice(&'a [Value]),
    /// What each of these schemas allows: an object, a list or something else, so that its kind says which is meant.
    Either(Vec<&'a Value>),
    /// An integer from this one on.
    Whole(i64),
    /// A number.
    Number,
    /// A text.
    Text,
    /// True or false.
    Flag,
    /// Anything: a schema that says nothing known here.
    Any,
}

/// What `schema`, which stands somewhere in `root`, allows, and whether null is allowed too.
pub fn shape<'a>(root: &'a Value, schema: &'a Value) -> (Shape<'a>, bool) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next();
        let (mut shape, null) = shape(root, &root["$defs"][name.unwrap_or_default()]);
        if let Shape::Object { name: known, .. } = &mut shape {
            *known = name;
        }
        return (shape, null);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let is_null = |choice: &&Value| choice["type"] == "null";
        let some: Vec<&Value> = choices.iter().filter(|choice| !is_null(choice)).collect();
        let null = some.len() < choices.len();
        return match some[..] {
            [] => (Shape::Any, null),
            [one] => (shape(root, one).0, null),
            _ => (Shape::Either(some), null),
        };
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        return (Shape::Choice(choices), false);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let shape = match types.iter().find(|name| **name != "null") {
        Some(&"object") => match schema["properties"].as_object() {
            Some(fields) => Shape::Object {
                name: None,
                fields,
                required: (schema["required"].as_array().into_iter().flatten())
                    .filter_map(Value::as_str)
                    .collect(),
            },
            None => Shape::Any,
        },
        Some(&"array") => Shape::List {
            items: &schema["items"],
            length: (schema["minItems"].as_u64())
                .filter(|least| schema["maxItems"].as_u64() == Some(*least))
                .and_then(|length| usize::try_from(length).ok()),
        },
        Some(&"integer") => Shape::Whole(schema["minimum"].as_i64().unwrap_or(i64::MIN)),
        Some(&"number") => Shape::Number,
        Some(&"string") => Shape::Text,
        Some(&"boolean") => Shape::Flag,
        _ => Shape::Any,
    };
    (shape, types.contains(&"null"))
}

/// Of one of several: its text, or the field that holds what belongs to it.
pub fn choice_name(choice: &Value) -> Option<&str> {
    (choice["const"].as_str()).or_else(|| choice_content(choice).map(|(name, _)| name))
}

/// The field of a choice that is more than a text, and its schema.
pub fn choice_content(choice: &Value) -> Option<(&str, &Value)> {
    let (name, schema) = choice["properties"].as_object()?.iter().next()?;
    Some((name, schema))
}

/// How a choice is written.
pub fn choice_words(choice: &Value) -> String {
    let name = choice_name(choice).unwrap_or_default();
    match choice_content(choice) {
        Some(_) => format!("{{ \"{name}\": … }}"),
        None => format!("\"{name}\""),
    }
}
