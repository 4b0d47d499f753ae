//! Python's regular expressions, which PEFT's settings may have.

use fancy_regex::Regex;

/// A regular expression that holds of whole names of modules.
#[derive(Debug, Clone)]
pub struct Pattern {
    field: &'static str,
    written: String,
    compiled: Regex,
}

impl Pattern {
    /// The expression `written`, as the setting `field` has it; it holds of a name as `re.fullmatch` says.
    ///
    /// # Errors
    /// What is no regular expression.
    pub fn whole(field: &'static str, written: &str) -> Result<Self, String> {
        Self::new(field, written, &format!(r"\A(?:{written})\z"))
    }

    /// The same, of a name or of its end after a dot.
    ///
    /// # Errors
    /// What is no regular expression.
    pub fn end(field: &'static str, written: &str) -> Result<Self, String> {
        Self::new(field, written, &format!(r"\A(?:.*\.)?(?:{written})\z"))
    }

    fn new(field: &'static str, written: &str, expression: &str) -> Result<Self, String> {
        let compiled =
            Regex::new(expression).map_err(|error| unreadable(field, written, &error))?;
        Ok(Self {
            field,
            written: written.to_owned(),
            compiled,
        })
    }

    /// Whether it holds of `name`.
    ///
    /// # Errors
    /// An expression that takes too long to try.
    pub fn holds(&self, name: &str) -> Result<bool, String> {
        let holds = self.compiled.is_match(name);
        holds.map_err(|error| unreadable(self.field, &self.written, &error))
    }
}

fn unreadable(field: &str, written: &str, error: &fancy_regex::Error) -> String {
    format!(
        "{field} has the regular expression {written:?}, which cannot be read here ({error}); write the names of the modules in its place"
    )
}

/// Values for some modules, by regular expressions; the first that holds counts.
#[derive(Debug, Clone)]
pub struct Patterns<T>(pub Vec<(Pattern, T)>);

impl<T: Copy> Patterns<T> {
    /// None at all.
    pub const NONE: Self = Self(Vec::new());

    /// The value for the module `name`, where there is one.
    ///
    /// # Errors
    /// As of [`Pattern::holds`].
    pub fn value(&self, name: &str) -> Result<Option<T>, String> {
        for (pattern, value) in &self.0 {
            if pattern.holds(name)? {
                return Ok(Some(*value));
            }
        }
        Ok(None)
    }
}
