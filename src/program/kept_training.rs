//! A training of `train` in a file: what it goes on from when it was stopped, or killed.
//!
//! A line that says what the file is, with a checksum of all that follows; a line of JSON with where the training comes
//! from and its losses so far; the session's own bytes.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::{history::History, settings::Settings};

const FORMAT: &str = "riemann-lora training, version 1, sha256 ";
const WAY_OUT: &str = "choose another --checkpoint, or delete this one to begin again";

/// What a training is of: it goes on only where all of it is the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// SHA-256 of the model's files, with their names.
    base: String,
    /// SHA-256 of the data file, or of the hashes of it and of the validation file.
    data: String,
    /// What was asked for, how the text is read among it.
    settings: Settings,
}

impl Origin {
    /// Of the model at `model`, a file or a folder, the bytes of data and of a validation file, and settings.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of(
        model: &Path,
        data: &[u8],
        validation: Option<&[u8]>,
        settings: &Settings,
    ) -> Result<Self> {
        let mut base = Sha256::new();
        for path in super::files_of(model)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            base.update(name.as_bytes());
            let file = std::fs::File::open(&path).with_context(|| path.display().to_string())?;
            hash_all(&mut base, file).with_context(|| path.display().to_string())?;
        }
        let mut data_hash = Sha256::new_with_prefix(data);
        if let Some(validation) = validation {
            let both = [data_hash.finalize(), Sha256::digest(validation)].concat();
            data_hash = Sha256::new_with_prefix(both);
        }
        Ok(Self {
            base: hex(base),
            data: hex(data_hash),
            settings: settings.clone(),
        })
    }

    /// In which parts another differs, as words.
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        [
            (self.base != other.base, "another model"),
            (self.data != other.data, "other data"),
            (self.settings != other.settings, "other settings"),
        ]
        .into_iter()
        .filter_map(|(differs, words)| differs.then_some(words))
        .collect()
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    origin: Origin,
    history: History,
}

/// The file of a training.
#[derive(Debug, Clone)]
pub struct KeptTraining {
    path: PathBuf,
    origin: Origin,
}

impl KeptTraining {
    /// The file at `path`, which may not be there yet.
    pub fn new(path: &Path, origin: Origin) -> Self {
        Self {
            path: path.to_owned(),
            origin,
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the session and its losses in the place of what the file held. It is written beside and renamed, so that the
    /// file holds a whole training at any moment.
    ///
    /// # Errors
    /// A folder that cannot be written to, or a full disk; the file is then as it was.
    pub fn save(&self, session: &[u8], history: &History) -> Result<()> {
        let write = || -> Result<()> {
            let header = Header {
                origin: self.origin.clone(),
                history: history.clone(),
            };
            let header = serde_json::to_string(&header)? + "\n";
            let mut sum = Sha256::new_with_prefix(&header);
            sum.update(session);
            let mut file = NamedTempFile::new_in(folder_of(&self.path))?;
            writeln!(file, "{FORMAT}{}", hex(sum))?;
            file.write_all(header.as_bytes())?;
            file.write_all(session)?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().with_context(|| format!("{} could not be written", self.path.display()))
    }

    /// The session's bytes and its losses so far; `None` where there is no file.
    ///
    /// # Errors
    /// A file that is none, is damaged, or is of another training, with what differs.
    pub fn open(&self) -> Result<Option<(Vec<u8>, History)>> {
        if !self.path.exists() {
            return Ok(None);
        }
        let open = || -> Result<(Vec<u8>, History)> {
            let bytes = std::fs::read(&self.path)?;
            let (header, session) = parts(&bytes)?;
            let differences = self.origin.differences(&header.origin);
            ensure!(
                differences.is_empty(),
                "this training is of {}; {WAY_OUT}",
                differences.join(" and ")
            );
            Ok((session.to_vec(), header.history))
        };
        open()
            .map(Some)
            .with_context(|| self.path.display().to_string())
    }
}

/// Refuses a place that cannot be written to, before anything is computed for it.
///
/// # Errors
/// A folder that cannot be made or written to, or a folder where a file is wanted.
pub fn check_writable(path: &Path, what: Place) -> Result<()> {
    let folder = match what {
        Place::Folder => path,
        Place::File => {
            ensure!(
                !path.is_dir(),
                "{} is a folder; give the name of a file",
                path.display()
            );
            folder_of(path)
        }
    };
    let made = std::fs::create_dir_all(folder).and_then(|()| NamedTempFile::new_in(folder));
    made.with_context(|| format!("{} cannot be written to", folder.display()))?;
    Ok(())
}

/// What shall be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Files in this folder.
    Folder,
    /// This file.
    File,
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// The header and the session of a whole file.
fn parts(bytes: &[u8]) -> Result<(Header, &[u8])> {
    let Some((first, rest)) = line(bytes) else {
        bail!("this is no checkpoint of `train`; {WAY_OUT}");
    };
    let Some(sum) = first.strip_prefix(FORMAT) else {
        match first.starts_with("riemann-lora training, version ") {
            true => bail!("another version of this program saved it; {WAY_OUT}"),
            false => bail!("this is no checkpoint of `train`; {WAY_OUT}"),
        }
    };
    ensure!(
        hex(Sha256::new_with_prefix(rest)) == sum,
        "it is damaged: its checksum is not that of its content; {WAY_OUT}"
    );
    let (header, session) = line(rest).context("it holds no session")?;
    Ok((serde_json::from_str(header)?, session))
}

/// The first line, and what follows it.
fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    Some((text, &bytes[end + 1..]))
}

fn hash_all(sum: &mut Sha256, mut file: impl Read) -> std::io::Result<()> {
    let mut part = vec![0; 1 << 20];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(()),
            read => sum.update(&part[..read]),
        }
    }
}

fn hex(sum: Sha256) -> String {
    sum.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(data: &str) -> Origin {
        Origin {
            base: "b".into(),
            data: data.into(),
            settings: Settings::example(),
        }
    }

    fn kept(folder: &tempfile::TempDir, data: &str) -> KeptTraining {
        KeptTraining::new(&folder.path().join("kept"), origin(data))
    }

    #[test]
    fn it_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let kept = kept(&folder, "d");
        assert!(kept.open().unwrap().is_none());
        let history = History::new(&Settings::example().session);
        kept.save(b"one\n\0two", &history).unwrap();
        kept.save(b"three", &history).unwrap();
        let (session, _) = kept.open().unwrap().unwrap();
        assert_eq!(session, b"three");
        // Nothing is left beside it.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let kept = kept(&folder, "d");
        let history = History::new(&Settings::example().session);
        kept.save(b"session", &history).unwrap();
        let whole = std::fs::read(kept.path()).unwrap();
        for at in 0..whole.len() {
            for bit in [0, 3, 7] {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                assert!(parts(&damaged).is_err(), "byte {at}, bit {bit}");
            }
            assert!(parts(&whole[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn another_training_is_refused_with_what_differs() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::new(&Settings::example().session);
        kept(&folder, "d").save(b"session", &history).unwrap();
        let error = kept(&folder, "e").open().unwrap_err();
        assert!(format!("{error:#}").contains("of other data; choose another"));
        std::fs::write(folder.path().join("kept"), "hello\n").unwrap();
        let error = kept(&folder, "d").open().unwrap_err();
        assert!(format!("{error:#}").contains("no checkpoint of `train`"));
    }

    #[test]
    fn a_write_that_fails_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let kept = kept(&folder, "d");
        let history = History::new(&Settings::example().session);
        kept.save(b"session", &history).unwrap();
        let gone = KeptTraining::new(&folder.path().join("no/kept"), origin("d"));
        assert!(gone.save(b"other", &history).is_err());
        assert_eq!(kept.open().unwrap().unwrap().0, b"session");
    }
}
