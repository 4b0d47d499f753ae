//! What a sweep costs: processor time, which idle waiting and other programs do not add to.

use std::sync::Mutex;

/// Clock ticks a second, in which Linux tells processor time to every program.
const TICKS: f64 = 100.0;

/// Seconds of processor time of this program, handed out in parts that add up to the whole.
#[derive(Debug, Default)]
pub struct ProcessorTime {
    handed_out: Mutex<f64>,
}

impl ProcessorTime {
    /// What was used since the last call; `None` where the system does not tell.
    pub fn since_last(&self) -> Option<f64> {
        let used = used(&std::fs::read_to_string("/proc/self/stat").ok()?)?;
        let mut before = self.handed_out.lock().ok()?;
        let part = used - *before;
        *before = used;
        Some(part)
    }
}

/// Fields 14 and 15 of the line, after a name that may hold anything: user and system time.
fn used(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<f64>().ok();
    Some((next()? + next()?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_are_added_whatever_the_name() {
        let line = "12 (a) b) R 1 12 12 0 -1 4194304 95 0 0 0 250 50 7 9 20 0 1 0 100";
        assert_eq!(used(line), Some(3.0));
        assert_eq!(used("12 (a"), None);
    }
}
