//! A folder in which a test runs the native program.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// A folder of one test's own that is gone when it ends, and the program in it.
pub struct Workplace {
    folder: PathBuf,
    /// Words that come before those of every call.
    command: Vec<String>,
}

impl Workplace {
    /// An empty folder; `command` comes before the words of every call.
    pub fn new(name: &str, command: &[&str]) -> Self {
        let name = format!("riemann-lora-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self {
            folder,
            command: command.iter().map(|&word| word.to_owned()).collect(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file of settings.
    pub fn write(&self, name: &str, value: &Value) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, value.to_string()).unwrap();
        path
    }

    /// The program, to be run.
    pub fn program(&self, words: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_riemann-lora"));
        program
            .args(&self.command)
            .args(words)
            .current_dir(&self.folder);
        program
    }

    fn run(&self, words: &[&str]) -> Output {
        self.program(words).output().unwrap()
    }

    /// Runs what must succeed, and returns what it printed.
    pub fn succeed(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs what must be refused, and returns why.
    pub fn refused(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}: {errors}");
        errors
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
