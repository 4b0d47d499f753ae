//! What can be wrong with a model file.

/// Why a model could not be loaded: which file, what is wrong, and what would work.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct LoadError {
    /// File name as the user knows it.
    pub file: String,
    /// Cause and way out, in a sentence without a final full stop.
    pub problem: String,
}

impl LoadError {
    /// An error about `file`.
    pub fn new(file: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { file: file.into(), problem: problem.into() }
    }
}
