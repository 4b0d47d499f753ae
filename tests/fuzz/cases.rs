//! Where cases come from, and where those go that fail.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::inputs::{Files, Random, Target};

/// A list of cases of one target.
#[derive(Debug, Clone, Copy)]
pub enum Cases {
    /// By a seed, without an end.
    Drawn { seed: u64 },
    /// Those of the corpus.
    Kept,
}

impl Cases {
    /// As a word of a command line, and back by [`Cases::parse`].
    pub fn word(self) -> String {
        match self {
            Self::Drawn { seed } => seed.to_string(),
            Self::Kept => "kept".to_owned(),
        }
    }

    pub fn parse(word: &str) -> Self {
        match word.parse() {
            Ok(seed) => Self::Drawn { seed },
            Err(_) => Self::Kept,
        }
    }

    /// The case of `target`, which is called `name`, at `index`.
    pub fn case(self, target: &dyn Target, name: &str, index: u64) -> Files {
        match self {
            Self::Drawn { seed } => target.draw(&mut Random::new(seed, index)),
            Self::Kept => read(&kept(name)[index as usize]).expect("the corpus can be read"),
        }
    }
}

/// Folders of a target's kept cases.
pub fn kept(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(target);
    let mut folders: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect(),
        Err(_) => Vec::new(),
    };
    folders.sort();
    folders
}

fn read(folder: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((
            entry.file_name().to_string_lossy().into_owned(),
            fs::read(entry.path())?,
        ));
    }
    files.sort();
    Ok(files)
}

/// Writes a case that failed to a folder, from where it can be moved to the corpus.
///
/// # Errors
/// Those of the file system.
pub fn write(files: &Files, name: &str) -> io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder)?;
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(folder)
}
