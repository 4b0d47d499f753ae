//! What a case must not do.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    Panic,
    /// The process ended: a stack that was too small, or memory that was not there.
    Abort,
    Hang,
    Memory,
    /// A refusal that nobody can read.
    Words,
}

/// A fault of one case, as a child tells it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    pub index: u64,
    pub fault: Fault,
    /// What is known of it.
    pub words: String,
    /// Where the case lies.
    #[serde(skip)]
    pub folder: PathBuf,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            index,
            fault,
            words,
            folder,
        } = self;
        write!(
            formatter,
            "case {index}, in {}: {fault:?}, {words}",
            folder.display()
        )
    }
}
