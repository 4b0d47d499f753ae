//! The fields of `config.json`.

use serde_json::{Map, Value};

/// The fields of a JSON object; one that is null counts as left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Those of a file.
    ///
    /// # Errors
    /// The problem in words: no JSON, or no object.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
        Self::new(value)
    }

    /// Those of a value.
    ///
    /// # Errors
    /// The problem in words: no object.
    pub fn new(value: Value) -> Result<Self, String> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            other => Err(malformed(&format!("{other} is no object"))),
        }
    }

    /// The field `name`.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A whole number that is not negative.
    ///
    /// # Errors
    /// Another value.
    pub fn size(&self, name: &str) -> Result<Option<usize>, String> {
        self.read(name, "a whole number", |value| {
            usize::try_from(value.as_u64()?).ok()
        })
    }

    /// A whole number that must be there.
    ///
    /// # Errors
    /// Another value, or none.
    pub fn required(&self, name: &str) -> Result<usize, String> {
        self.size(name)?.ok_or_else(|| {
            format!("{name} is missing; take the config.json of the model's own repository")
        })
    }

    /// A number.
    ///
    /// # Errors
    /// Another value.
    pub fn number(&self, name: &str) -> Result<Option<f64>, String> {
        self.read(name, "a number", Value::as_f64)
    }

    /// A truth value.
    ///
    /// # Errors
    /// Another value.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, String> {
        self.read(name, "true or false", Value::as_bool)
    }

    /// A text.
    ///
    /// # Errors
    /// Another value.
    pub fn text(&self, name: &str) -> Result<Option<&str>, String> {
        self.read(name, "a text", Value::as_str)
    }

    /// An object.
    ///
    /// # Errors
    /// Another value.
    pub fn object(&self, name: &str) -> Result<Option<Self>, String> {
        self.read(name, "an object", |value| {
            value.as_object().map(|fields| Self(fields.clone()))
        })
    }

    /// All of them with their values, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        let fields = self.0.iter();
        fields.map(|(name, value)| (name.as_str(), value))
    }

    /// Whether no others than these are there.
    pub fn has_only(&self, names: &[&str]) -> bool {
        let mut there = self.0.iter().filter(|(_, value)| !value.is_null());
        there.all(|(name, _)| names.contains(&name.as_str()))
    }

    fn read<'a, T>(
        &'a self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(malformed(&format!("{name} is {value}, not {expected}"))),
        }
    }

    /// Checks that the weights are those of `class`, the causal language model of its architecture.
    ///
    /// # Errors
    /// Another class.
    pub fn check_class(&self, class: &str) -> Result<(), String> {
        let classes = self.value("architectures");
        let first = classes.and_then(|classes| classes.get(0)?.as_str());
        match first {
            Some(other) if other != class => Err(format!(
                "it describes a {other}, which is not supported; use a {class}"
            )),
            _ => Ok(()),
        }
    }

    /// The first of these flags that is set.
    ///
    /// # Errors
    /// One that is neither true nor false.
    pub fn first_set<'a>(&self, names: &[&'a str]) -> Result<Option<&'a str>, String> {
        for name in names {
            if self.flag(name)? == Some(true) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }
}

/// As JSON.
impl std::fmt::Display for Fields {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", Value::Object(self.0.clone()))
    }
}

/// What is said first of a file, or of a field of it, that is of another kind.
pub const MALFORMED: &str = "it is malformed: ";

fn malformed(problem: &impl ToString) -> String {
    format!("{MALFORMED}{}", problem.to_string())
}
