//! A case that does not end.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// Processor time that a case may take. All inputs are small, so that what is not done by then goes on without end, or grows
/// faster than its input.
const MOST: Duration = Duration::from_secs(10);
/// The same of a case that waits for something; much longer, because others work on the machine too.
const MOST_WAITING: Duration = Duration::from_secs(300);
/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// Stands where no case is tried.
pub const NO_CASE: u64 = u64::MAX;

/// The case that is tried now.
pub static NOW: AtomicU64 = AtomicU64::new(NO_CASE);

/// Calls `hangs` for a case of this thread that takes too long, from another thread.
pub fn start(hangs: impl Fn(u64) + Send + 'static) {
    let thread = std::fs::read_link("/proc/thread-self")
        .map(|path| format!("/proc/{}/schedstat", path.display()));
    let thread = thread.unwrap_or_default();
    std::thread::spawn(move || {
        let mut case = NO_CASE;
        let (mut begun, mut used) = (Instant::now(), processor_time(&thread));
        loop {
            std::thread::sleep(PAUSE);
            let now = NOW.load(Relaxed);
            if now != case {
                case = now;
                (begun, used) = (Instant::now(), processor_time(&thread));
            } else if case == NO_CASE {
                continue;
            } else if processor_time(&thread).saturating_sub(used) > MOST
                || begun.elapsed() > MOST_WAITING
            {
                hangs(case);
            }
        }
    });
}

/// Processor time that a thread has had; none where the system does not say it.
fn processor_time(thread: &str) -> Duration {
    let text = std::fs::read_to_string(thread).unwrap_or_default();
    let nanoseconds = text
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
