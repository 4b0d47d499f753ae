//! What every measurement is kept in: figures, and where they come from.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Map, Value};

use super::counted::counted;

/// A result with its origin, as the files of benchmarks/results hold it: `command`, `commit`,
/// `machine`, `when`, `figures`, then whatever [`ResultFile::with`] added.
#[derive(Debug, Clone, Serialize)]
pub struct ResultFile {
    /// The command line that makes it again.
    pub command: String,
    /// Commit of the program's checkout; ends in `-dirty` where sources differ from it.
    pub commit: String,
    /// Processor, number of cores, and what else decides about speed.
    pub machine: String,
    /// UTC, RFC 3339.
    pub when: String,
    /// The numbers that are quoted.
    pub figures: Value,
    #[serde(flatten)]
    details: Map<String, Value>,
    /// A long list, whose entries take a line each.
    #[serde(skip)]
    lines: Option<(String, Vec<String>)>,
}

impl ResultFile {
    /// `figures` of the command that runs now.
    ///
    /// # Errors
    /// Figures that JSON cannot hold.
    pub fn new(figures: &impl Serialize) -> Result<Self> {
        Ok(Self {
            command: command_line(std::env::args()),
            commit: commit(),
            machine: machine(),
            when: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            figures: serde_json::to_value(figures).context("figures of a result")?,
            details: Map::new(),
            lines: None,
        })
    }

    /// Adds what explains the figures, such as curves and settings, under a name of its own.
    ///
    /// # Errors
    /// A value that JSON cannot hold.
    pub fn with(mut self, name: &str, value: &impl Serialize) -> Result<Self> {
        let value = serde_json::to_value(value).with_context(|| format!("{name} of a result"))?;
        self.details.insert(name.to_owned(), value);
        Ok(self)
    }

    /// Adds a long list at the end, each entry on a line of its own: a file of thousands of numbers that can still be
    /// read and compared line by line.
    ///
    /// # Errors
    /// A value that JSON cannot hold.
    pub fn with_lines<T: Serialize>(mut self, name: &str, entries: &[T]) -> Result<Self> {
        let lines: serde_json::Result<_> = entries.iter().map(serde_json::to_string).collect();
        let lines = lines.with_context(|| format!("{name} of a result"))?;
        self.lines = Some((name.to_owned(), lines));
        Ok(self)
    }

    /// The file's text: indented JSON with a line end.
    ///
    /// # Errors
    /// None that is not the serialiser's own.
    pub fn to_json(&self) -> Result<String> {
        let mut text = serde_json::to_string_pretty(self)?;
        if let Some((name, lines)) = &self.lines {
            let name = serde_json::to_string(name)?;
            text.truncate(text.len() - "\n}".len());
            text.push_str(&match lines.as_slice() {
                [] => format!(",\n  {name}: []\n}}"),
                lines => format!(",\n  {name}: [\n{}\n  ]\n}}", lines.join(",\n")),
            });
        }
        Ok(text + "\n")
    }

    /// Writes the result, and a picture of the same name beside it.
    ///
    /// # Errors
    /// A folder that cannot be made, or a file that cannot be written.
    pub fn write(&self, path: &Path, picture: Option<&str>) -> Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        std::fs::write(path, self.to_json()?).with_context(|| path.display().to_string())?;
        if let Some(picture) = picture {
            let path = path.with_extension("svg");
            std::fs::write(&path, picture).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

/// The command line with the program's plain name, quoted where a shell would split it.
fn command_line(mut words: impl Iterator<Item = String>) -> String {
    // Where the program lies is this machine's business.
    let _ = words.next();
    let mut line = env!("CARGO_BIN_NAME").to_owned();
    for word in words {
        let plain = !word.is_empty()
            && word
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_=./,:+@%".contains(letter));
        line.push(' ');
        match plain {
            true => line.push_str(&word),
            false => line.push_str(&format!("'{}'", word.replace('\'', r"'\''"))),
        }
    }
    line
}

/// The checkout's commit; `unknown` where the program has left its checkout.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(["-C", env!("CARGO_MANIFEST_DIR")])
            .args(arguments)
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "HEAD"]) else {
        return "unknown".into();
    };
    // Results are written over and over; they do not change what is computed.
    let changed = git(&[
        "status",
        "--porcelain",
        "--untracked-files=no",
        "--",
        ":/src",
        ":/Cargo.lock",
    ]);
    match changed.as_deref() {
        Some("") => commit,
        _ => format!("{commit}-dirty"),
    }
}

/// Processor and cores, as far as the system tells.
fn machine() -> String {
    let processor = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{processor}, {}", counted(cores, "core"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted_into_a_shell() {
        let words = ["/tmp/x/riemann-lora", "theory", "--lr=1e-3", "it's two", ""];
        let line = command_line(words.into_iter().map(str::to_owned));
        assert_eq!(line, r"riemann-lora theory --lr=1e-3 'it'\''s two' ''");
    }

    #[test]
    fn figures_come_first_and_details_after_them() -> Result<()> {
        let result = ResultFile::new(&serde_json::json!({ "loss": 1.5 }))?
            .with("curves", &[1.0, f64::NAN])?;
        let read: Value = serde_json::from_str(&result.to_json()?)?;
        for name in ["command", "commit", "machine", "when"] {
            assert!(read[name].as_str().is_some_and(|text| !text.is_empty()));
        }
        assert_eq!(read["figures"]["loss"], 1.5);
        assert_eq!(read["curves"], serde_json::json!([1.0, null]));
        Ok(())
    }

    #[test]
    fn entries_of_a_long_list_take_a_line_each() -> Result<()> {
        let curves = [vec![1.0, 2.0], vec![3.0]];
        // The object before the list ends in braces, too.
        let file = || ResultFile::new(&1)?.with("plan", &serde_json::json!({ "a": { "b": 1 } }));
        let text = file()?.with_lines("curves", &curves)?.to_json()?;
        assert!(text.contains("\n[1.0,2.0],\n[3.0]\n"), "{text}");
        let read: Value = serde_json::from_str(&text)?;
        assert_eq!(read["curves"], serde_json::json!(curves));
        assert_eq!(read["plan"]["a"]["b"], 1);
        let none: Value =
            serde_json::from_str(&file()?.with_lines::<u8>("curves", &[])?.to_json()?)?;
        assert_eq!(none["curves"], serde_json::json!([]));
        Ok(())
    }
}
