//! Malformed inputs against everything that reads files and settings. Only natively: cases run in processes of their own.
//!
//! A case is a function of a target, a seed and an index (`inputs/`), or a folder of `corpus/`, where every case lies that ever
//! failed. A supervisor (`supervisor.rs`) has children try them (`child.rs`): a panic, an abort, processor time without an end
//! and memory beyond what the input explains are findings. `cargo test` tries a fixed number of each target's cases;
//! `scripts/fuzz` goes on for as long as it is told.

// wasm-pack builds all tests, this one too, which has no processes there. Both attributes are needed, in this order.
#![cfg_attr(target_arch = "wasm32", no_main)]
#![cfg(not(target_arch = "wasm32"))]

mod allocator;
mod cases;
mod child;
mod finding;
mod inputs;
mod long;
mod supervisor;
mod watch;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use cases::Cases;
use inputs::TARGETS;
use supervisor::{Tried, supervise};

/// The seed of the tests.
const SEED: u64 = 1;

/// One in so many of a target's cases has to be accepted, or what comes after reading is hardly tried.
const ACCEPTED: u64 = 50;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [child::WORD, ref rest @ ..] => child::run(rest),
        [long::WORD, ref rest @ ..] => long::run(rest),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

fn trials() -> Vec<Trial> {
    let drawn = TARGETS.iter().map(|&(name, count, _)| {
        Trial::test(name, move || {
            let tried = supervise(name, Cases::Drawn { seed: SEED }, 0..count);
            judge(&tried)?;
            match tried.accepted * ACCEPTED > tried.cases {
                true => Ok(()),
                false => Err(format!(
                    "only {} of {} cases were accepted",
                    tried.accepted, tried.cases
                )
                .into()),
            }
        })
    });
    let kept = TARGETS.iter().filter_map(|&(name, ..)| {
        let count = cases::kept(name).len() as u64;
        let trial = move || judge(&supervise(name, Cases::Kept, 0..count));
        (count > 0).then(|| Trial::test(format!("{name}, kept cases"), trial))
    });
    drawn.chain(kept).collect()
}

fn judge(tried: &Tried) -> Result<(), Failed> {
    let shown: Vec<String> = tried.findings.iter().map(ToString::to_string).collect();
    match shown.is_empty() {
        true => Ok(()),
        false => Err(shown.join("\n").into()),
    }
}
