//! Ctrl-C: the first asks for an end after what is in hand, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

/// Whether an end has been asked for.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
}

impl Stop {
    /// What a shell gets of a program that was interrupted: 128 + SIGINT.
    pub const EXIT_CODE: i32 = 130;

    /// Listens for Ctrl-C and a polite kill.
    ///
    /// # Errors
    /// A system that does not let it.
    pub fn on_interrupt() -> Result<Self> {
        let stop = Self::default();
        let asked = stop.asked.clone();
        ctrlc::set_handler(move || {
            if asked.swap(true, Ordering::Relaxed) {
                std::process::exit(Self::EXIT_CODE);
            }
            eprintln!("\nStopping after this step; Ctrl-C again stops at once.");
        })
        .context("Ctrl-C cannot be caught")?;
        Ok(stop)
    }

    /// Asks for an end.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Whether an end has been asked for.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}
