//! Cases for as long as one likes.

use std::{
    collections::BTreeMap,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    cases::Cases,
    finding::Fault,
    inputs::TARGETS,
    supervisor::{Tried, supervise},
};

/// Begins the words of a long run: minutes, a seed, a file for what came of it, and targets, all of them where none is named.
pub const WORD: &str = "--long";

/// What came of a target's cases.
#[derive(Debug, Default, Serialize)]
struct Counts {
    cases: u64,
    accepted: u64,
    panics: u64,
    aborts: u64,
    hangs: u64,
    memory_excess: u64,
    unreadable_refusals: u64,
}

impl Counts {
    fn add(&mut self, tried: &Tried) {
        self.cases += tried.cases;
        self.accepted += tried.accepted;
        for finding in &tried.findings {
            *match finding.fault {
                Fault::Panic => &mut self.panics,
                Fault::Abort => &mut self.aborts,
                Fault::Hang => &mut self.hangs,
                Fault::Memory => &mut self.memory_excess,
                Fault::Words => &mut self.unreadable_refusals,
            } += 1;
        }
    }
}

pub fn run(words: &[&str]) -> ExitCode {
    let &[minutes, seed, output, ref named @ ..] = words else {
        eprintln!("{WORD} MINUTES SEED OUTPUT [TARGET...]");
        return ExitCode::FAILURE;
    };
    let (Ok(minutes), Ok(seed)) = (minutes.parse::<u64>(), seed.parse()) else {
        eprintln!("minutes and seed are whole numbers");
        return ExitCode::FAILURE;
    };
    if let Some(unknown) = named
        .iter()
        .find(|name| TARGETS.iter().all(|(other, ..)| other != *name))
    {
        let all: Vec<&str> = TARGETS.iter().map(|(name, ..)| *name).collect();
        eprintln!("there is no target {unknown}; there are {}", all.join(", "));
        return ExitCode::FAILURE;
    }
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut failed = false;
    for turn in 0.. {
        for &(name, count, _) in TARGETS
            .iter()
            .filter(|(name, ..)| named.is_empty() || named.contains(name))
        {
            if Instant::now() >= end {
                return write(Path::new(output), &counts, failed);
            }
            let tried = supervise(
                name,
                Cases::Drawn { seed },
                turn * count..(turn + 1) * count,
            );
            for finding in &tried.findings {
                println!("{name}, seed {seed}, {finding}");
                failed = true;
            }
            counts.entry(name).or_default().add(&tried);
        }
    }
    ExitCode::SUCCESS
}

fn write(output: &Path, counts: &BTreeMap<&str, Counts>, failed: bool) -> ExitCode {
    let text = serde_json::to_string_pretty(counts).expect("counts are JSON");
    if let Err(error) = std::fs::write(output, text) {
        eprintln!("{}: {error}", output.display());
        return ExitCode::FAILURE;
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
