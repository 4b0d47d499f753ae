//! Has children try cases, and goes on behind those that end them.

use std::{
    io::{BufRead, BufReader, Read},
    ops::Range,
    path::Path,
    process::{Command, ExitStatus, Stdio},
};

use crate::{
    cases::{self, Cases},
    child::{self, Told},
    finding::{Fault, Finding},
    inputs::TARGETS,
};

/// A target that fails so often is told of first.
const MOST_FINDINGS: usize = 12;

/// What came of cases.
#[derive(Debug, Default)]
pub struct Tried {
    pub cases: u64,
    pub accepted: u64,
    pub findings: Vec<Finding>,
}

/// Has `indices` of a target's cases tried.
///
/// # Panics
/// If children cannot be started.
pub fn supervise(target: &str, cases: Cases, indices: Range<u64>) -> Tried {
    let mut tried = Tried::default();
    let mut next = indices.start;
    while next < indices.end && tried.findings.len() < MOST_FINDINGS {
        let child = Child::run(target, cases, next..indices.end);
        tried.accepted += child.accepted;
        tried.cases += child.end - next;
        next = child.end;
        tried.findings.extend(child.findings);
    }
    for finding in &mut tried.findings {
        keep(target, cases, finding);
    }
    tried
}

/// Writes the case of a finding down.
fn keep(name: &str, cases: Cases, finding: &mut Finding) {
    let (.., make) = TARGETS
        .iter()
        .find(|(other, ..)| *other == name)
        .expect("a target");
    let files = cases.case(make().as_ref(), name, finding.index);
    let folder = format!("fuzz/{name}-{}-{}", cases.word(), finding.index);
    match cases::write(&files, &folder) {
        Ok(folder) => finding.folder = folder,
        Err(error) => finding.words += &format!("; the case could not be written: {error}"),
    }
}

/// What a child has done.
struct Child {
    /// The index behind its last case.
    end: u64,
    accepted: u64,
    findings: Vec<Finding>,
}

impl Child {
    fn run(target: &str, cases: Cases, indices: Range<u64>) -> Self {
        let cases = cases.word();
        let name = format!(
            "fuzz-progress-{target}-{cases}-{}-{}",
            indices.start,
            std::process::id()
        );
        let progress = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let program = std::env::current_exe().expect("this program has a path");
        let mut process = Command::new(program)
            .args([child::WORD, target, &cases])
            .args([indices.start, indices.end].map(|index| index.to_string()))
            .arg(&progress)
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a child starts");
        let mut errors = process.stderr.take().expect("it is piped");
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            // What cannot be read says nothing.
            let _ = errors.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let out = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut findings = Vec::new();
        let mut done = None;
        for line in out.lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(Told::Found(finding)) => findings.push(finding),
                Ok(Told::Done { accepted }) => done = Some(accepted),
                Err(_) => {}
            }
        }
        let status = process.wait().expect("a child ends");
        let errors = errors.join().unwrap_or_default();
        let record = std::fs::read(&progress).unwrap_or_default();
        // It is gone with the folder of the build anyway.
        let _ = std::fs::remove_file(&progress);
        if let Some(accepted) = done {
            return Self {
                end: indices.end,
                accepted,
                findings,
            };
        }
        let numbers: Vec<u64> = record
            .as_chunks()
            .0
            .iter()
            .map(|bytes| u64::from_le_bytes(*bytes))
            .collect();
        let [index, accepted] = numbers[..] else {
            panic!("the target {target} could not be made: {errors}");
        };
        findings.extend(ended(status, index, &errors));
        Self {
            end: index + 1,
            accepted,
            findings,
        }
    }
}

/// The finding of a child that ended, where it has not told of it.
fn ended(status: ExitStatus, index: u64, errors: &str) -> Option<Finding> {
    if status.code() == Some(child::HANGS.into()) {
        return None;
    }
    let is_memory = errors.contains("memory allocation of");
    let last: Vec<&str> = errors.lines().rev().take(4).collect();
    Some(Finding {
        index,
        fault: if is_memory {
            Fault::Memory
        } else {
            Fault::Abort
        },
        words: format!("{status}: {}", last.join(" / ")),
        folder: Default::default(),
    })
}
