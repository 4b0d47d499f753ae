//! How far a long command is: a bar on a terminal, else a line once a minute, so that a log shows life.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

/// Between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(60);

/// A bar of `what`, or its lines.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    bar: ProgressBar,
    /// When this began and when the last line was written; `None` on a terminal, which has the bar.
    lines: Option<Mutex<[Instant; 2]>>,
}

impl Progress {
    /// Nothing done of nothing yet. `what` is counted, in the plural.
    pub fn new(what: &'static str) -> Result<Self> {
        let style = ProgressStyle::with_template("{pos}/{len} {msg} {wide_bar} {eta} left")?;
        let now = Instant::now();
        Ok(Self {
            what,
            bar: ProgressBar::new(0).with_style(style).with_message(what),
            lines: (!std::io::stderr().is_terminal()).then(|| Mutex::new([now; 2])),
        })
    }

    /// There is so much more to do.
    pub fn add_to_do(&self, count: u64) {
        self.bar.inc_length(count);
    }

    /// So much more is done.
    pub fn add_done(&self, count: u64) {
        self.bar.inc(count);
        let Some(lines) = &self.lines else { return };
        let Ok(mut lines) = lines.lock() else { return };
        let [began, last] = &mut *lines;
        if last.elapsed() >= BETWEEN_LINES {
            *last = Instant::now();
            let total = self.bar.length().unwrap_or(0);
            eprintln!(
                "{}",
                line(self.what, self.bar.position(), total, began.elapsed())
            );
        }
    }

    /// Writes a line that stays, above the bar.
    pub fn say(&self, words: &str) {
        self.bar.suspend(|| eprintln!("{words}"));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// `30/120 steps, 25 %, 3 min left`, the rest at the pace so far.
fn line(what: &str, done: u64, total: u64, passed: Duration) -> String {
    let share = done as f64 / total.max(1) as f64;
    let left = match done {
        0 => "time left unknown".to_owned(),
        _ => {
            let minutes = passed.as_secs_f64() / 60.0 * (1.0 - share) / share;
            format!("{:.0} min left", minutes.ceil())
        }
    };
    format!("{done}/{total} {what}, {:.0} %, {left}", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_share_and_rest() {
        let minute = Duration::from_secs(60);
        assert_eq!(
            line("steps", 30, 120, minute),
            "30/120 steps, 25 %, 3 min left"
        );
        assert_eq!(
            line("steps", 0, 120, minute),
            "0/120 steps, 0 %, time left unknown"
        );
        assert_eq!(
            line("steps", 120, 120, minute),
            "120/120 steps, 100 %, 0 min left"
        );
    }
}
