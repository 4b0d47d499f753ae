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
    fn failed(&self) -> bool {
        let Self {
            panics,
            aborts,
            hangs,
            memory_excess,
            unreadable_refusals,
            ..
        } = self;
        panics + aborts + hangs + memory_excess + unreadable_refusals > 0
    }

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

/// What a target has had of the time.
struct Share {
    target: &'static str,
    /// Cases of a turn.
    turn: u64,
    next: u64,
    time: Duration,
    counts: Counts,
}

impl Share {
    fn new(target: &'static str, turn: u64) -> Self {
        Self {
            target,
            turn,
            next: 0,
            time: Duration::ZERO,
            counts: Counts::default(),
        }
    }

    fn take_turn(&mut self, seed: u64) {
        let begun = Instant::now();
        let indices = self.next..self.next + self.turn;
        self.next = indices.end;
        let tried = supervise(self.target, Cases::Drawn { seed }, indices);
        for finding in &tried.findings {
            println!("{}, seed {seed}, {finding}", self.target);
        }
        self.counts.add(&tried);
        self.time += begun.elapsed();
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
    let mut shares: Vec<Share> = TARGETS
        .iter()
        .filter(|(name, ..)| named.is_empty() || named.contains(name))
        .map(|&(name, turn, _)| Share::new(name, turn))
        .collect();
    // Every target gets the same time: cases of some take a hundred times as long as those of others.
    while Instant::now() < end
        && let Some(share) = shares.iter_mut().min_by_key(|share| share.time)
    {
        share.take_turn(seed);
    }
    let counts: BTreeMap<&str, Counts> = shares
        .into_iter()
        .map(|share| (share.target, share.counts))
        .collect();
    write(Path::new(output), &counts)
}

fn write(output: &Path, counts: &BTreeMap<&str, Counts>) -> ExitCode {
    let text = serde_json::to_string_pretty(counts).expect("counts are JSON");
    if let Err(error) = std::fs::write(output, text) {
        eprintln!("{}: {error}", output.display());
        return ExitCode::FAILURE;
    }
    match counts.values().any(Counts::failed) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}
