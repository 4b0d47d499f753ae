//! Tries cases in a process of its own, and tells its parent what it finds.

use std::{
    fs::File,
    io::Write,
    os::unix::fs::FileExt,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{Mutex, atomic::Ordering::Relaxed},
};

use serde::{Deserialize, Serialize};

use crate::{
    allocator::excess,
    cases::Cases,
    finding::{Fault, Finding},
    inputs::TARGETS,
    watch,
};

/// Begins the words of a child: target, cases, first index, index behind the last, and a file that says which case is tried.
pub const WORD: &str = "--child";
/// How a child ends whose case does not.
pub const HANGS: u8 = 3;
/// As much as a wasm module has.
const STACK: usize = 1 << 20;
/// Letters of a refusal that somebody may still read.
const LONGEST_REFUSAL: usize = 4_000;

/// A line that a child writes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    Found(Finding),
    /// All cases are tried, and so many of them were accepted.
    Done {
        accepted: u64,
    },
}

fn tell(told: &Told) {
    let mut out = std::io::stdout().lock();
    let line = serde_json::to_string(told).expect("it is JSON");
    // A parent that is gone does not need it.
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// The words and the place of a panic.
static PANIC: Mutex<String> = Mutex::new(String::new());

pub fn run(words: &[&str]) -> ExitCode {
    let &[target, cases, from, to, progress] = words else {
        return ExitCode::FAILURE;
    };
    let target = target.to_owned();
    let cases = Cases::parse(cases);
    let indices = from.parse().expect("an index")..to.parse().expect("an index");
    let progress = File::create(progress).expect("the file of progress can be written");
    std::panic::set_hook(Box::new(|panic| {
        if watch::NOW.load(Relaxed) == watch::NO_CASE {
            eprintln!("the harness itself: {panic}");
        }
        *PANIC
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) = panic.to_string();
    }));
    let worker = std::thread::Builder::new().stack_size(STACK);
    let worker = worker.spawn(move || try_all(&target, cases, indices, &progress));
    worker
        .expect("a thread")
        .join()
        .map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn try_all(name: &str, cases: Cases, indices: std::ops::Range<u64>, progress: &File) {
    let (.., make) = TARGETS
        .iter()
        .find(|(other, ..)| *other == name)
        .expect("a target");
    let target = make();
    watch::start(|index| {
        let words = "it does not end".to_owned();
        tell(&Told::Found(Finding {
            index,
            fault: Fault::Hang,
            words,
            folder: Default::default(),
        }));
        std::process::exit(HANGS.into());
    });
    let mut accepted = 0;
    for index in indices {
        let record = [index, accepted].map(u64::to_le_bytes).concat();
        progress
            .write_all_at(&record, 0)
            .expect("progress can be written");
        let files = cases.case(target.as_ref(), name, index);
        watch::NOW.store(index, Relaxed);
        let bytes = files.iter().map(|(_, bytes)| bytes.len()).sum();
        let (outcome, took) = excess(bytes, || {
            catch_unwind(AssertUnwindSafe(|| target.attempt(&files)))
        });
        watch::NOW.store(watch::NO_CASE, Relaxed);
        let found = |fault, words| {
            tell(&Told::Found(Finding {
                index,
                fault,
                words,
                folder: Default::default(),
            }))
        };
        match outcome {
            Ok(Ok(())) => accepted += 1,
            Ok(Err(words)) if words.is_empty() || words.len() > LONGEST_REFUSAL => {
                found(Fault::Words, words)
            }
            Ok(Err(_)) => {}
            Err(_) => found(
                Fault::Panic,
                PANIC
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner())
                    .clone(),
            ),
        }
        if let Some(took) = took {
            found(
                Fault::Memory,
                format!("{took} bytes for an input of {bytes}"),
            );
        }
    }
    tell(&Told::Done { accepted });
}
