//! Where a sweep keeps what it has done, so that it can be stopped at any time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use riemann_lora::train::sweep::SweepPoint;
use serde::{Deserialize, Serialize};

use super::{factors::Factors, finished::Finished, plan::Plan};

const PLAN: &str = "plan.json";
const RESULTS: &str = "results.jsonl";

/// A folder with the plan, finished runs, and checkpoints of unfinished banks.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

/// An unfinished bank: what its checkpoint does not hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Unfinished {
    /// Its runs.
    pub points: Vec<SweepPoint>,
    /// Training losses of each run so far.
    pub losses: Vec<Vec<f64>>,
    /// Factors of each run so far.
    pub factors: Vec<Vec<Factors>>,
}

impl Unfinished {
    /// A bank before its first step.
    pub fn new(points: Vec<SweepPoint>) -> Self {
        Self {
            losses: vec![Vec::new(); points.len()],
            factors: vec![Vec::new(); points.len()],
            points,
        }
    }
}

/// What a folder is for: the plan and the files that it was begun with.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Begun {
    plan: Plan,
    model: String,
    data: String,
    validation: String,
}

impl Folder {
    /// Makes the folder, or takes up the one that is there.
    ///
    /// # Errors
    /// A folder that was begun with another plan or other files.
    pub fn open(path: &Path, plan: &Plan, files: [&Path; 3]) -> Result<Self> {
        let [model, data, validation] = files.map(|file| file.display().to_string());
        let begun = Begun {
            plan: plan.clone(),
            model,
            data,
            validation,
        };
        fs::create_dir_all(path).with_context(|| path.display().to_string())?;
        let file = path.join(PLAN);
        if file.exists() {
            let text = fs::read(&file).with_context(|| file.display().to_string())?;
            let found: Option<Begun> = serde_json::from_slice(&text).ok();
            let as_measured = |begun: Begun| Begun {
                plan: begun.plan.as_measured(),
                ..begun
            };
            if found.map(as_measured) != Some(as_measured(begun)) {
                bail!(
                    "{}: this folder holds a sweep of another configuration; choose another --folder, or delete this one",
                    path.display()
                );
            }
        } else {
            write_whole(&file, serde_json::to_string_pretty(&begun)?.as_bytes())?;
        }
        Ok(Self { path: path.into() })
    }

    /// Runs that are finished. A line that was only half written is left out.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn results(&self) -> Result<Vec<Finished>> {
        let file = self.path.join(RESULTS);
        if !file.exists() {
            return Ok(Vec::new());
        }
        // As bytes: half of a line may end in half of a letter.
        let text = fs::read(&file).with_context(|| file.display().to_string())?;
        let lines = text.split(|byte| *byte == b'\n');
        Ok(lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect())
    }

    /// Adds finished runs.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn add(&self, results: &[Finished]) -> Result<()> {
        let path = self.path.join(RESULTS);
        let mut text = String::new();
        for result in results {
            text.push_str(&serde_json::to_string(result)?);
            text.push('\n');
        }
        let mut file = OpenOptions::new();
        let file = file.create(true).read(true).append(true).open(&path);
        file.and_then(|file| append_lines(file, text))
            .with_context(|| path.display().to_string())
    }

    /// Keeps an unfinished bank, in place of its older self.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn keep(&self, bank: &Unfinished, checkpoint: &[u8]) -> Result<()> {
        // One file, so that both parts are always of the same step.
        let mut bytes = serde_json::to_vec(bank)?;
        bytes.push(b'\n');
        bytes.extend(checkpoint);
        write_whole(&self.bank_path(&bank.points), &bytes)
    }

    /// Forgets an unfinished bank.
    pub fn forget(&self, points: &[SweepPoint]) {
        // It may never have been kept.
        let _ = fs::remove_file(self.bank_path(points));
    }

    /// Banks that were stopped, with their checkpoints. What cannot be read is begun anew.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn unfinished(&self) -> Result<Vec<(Unfinished, Vec<u8>)>> {
        let mut found = Vec::new();
        let entries = fs::read_dir(&self.path).with_context(|| self.path.display().to_string())?;
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|end| end == "bank"))
            .collect();
        paths.sort();
        for path in paths {
            let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
            let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                continue;
            };
            if let Ok(bank) = serde_json::from_slice(&bytes[..end]) {
                found.push((bank, bytes[end + 1..].to_vec()));
            }
        }
        Ok(found)
    }

    fn bank_path(&self, points: &[SweepPoint]) -> PathBuf {
        let name = points.first().map_or_else(String::new, |point| {
            let method = point.method.chars().filter(char::is_ascii_alphanumeric);
            format!(
                "{}-{:e}-{}",
                method.collect::<String>(),
                point.lr,
                point.seed
            )
        });
        self.path.join(format!("{name}.bank"))
    }
}

/// Adds whole lines. Where a kill has left half a line, it stays alone on its own.
fn append_lines(mut file: File, mut text: String) -> io::Result<()> {
    let length = file.seek(SeekFrom::End(0))?;
    if length > 0 {
        let mut last = [0];
        file.seek(SeekFrom::Start(length - 1))?;
        file.read_exact(&mut last)?;
        if last != [b'\n'] {
            text.insert(0, '\n');
        }
    }
    file.write_all(text.as_bytes())
}

/// Writes a file so that it is there whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let draft = path.with_extension("draft");
    fs::write(&draft, bytes).with_context(|| draft.display().to_string())?;
    fs::rename(&draft, path).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run of a method of this name.
    fn finished(method: &str) -> Finished {
        let text = serde_json::json!({
            "method": method, "lr": 0.1, "seed": 0, "validation_loss": 2.5, "diverged_at": null, "losses": [3.0],
        });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn half_a_line_costs_no_other_line() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder {
            path: place.path().to_owned(),
        };
        let (one, two, three) = (finished("e\u{301}te"), finished("two"), finished("three"));
        folder.add(std::slice::from_ref(&one)).unwrap();
        let file = place.path().join(RESULTS);
        let whole = fs::read(&file).unwrap();
        // The bytes of its accent are apart, too.
        for cut in 1..whole.len() {
            fs::write(&file, &whole[..cut]).unwrap();
            folder.add(std::slice::from_ref(&two)).unwrap();
            folder.add(std::slice::from_ref(&three)).unwrap();
            let left = folder.results().unwrap();
            let others = [two.clone(), three.clone()];
            // Without its line end alone it is whole.
            let whole_line = cut == whole.len() - 1;
            assert_eq!(whole_line, left.contains(&one));
            assert!(left.ends_with(&others), "cut at {cut}: {left:?}");
        }
    }
}
