//! The one place where the lab asks what time it is, and what processors were used: it exists to measure
//! time.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Time since a moment; never goes backwards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    start: Instant,
}

impl Stopwatch {
    /// A stopwatch that stands at zero now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the lab's clock: everything else takes times as arguments"
    )]
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Time since [`Stopwatch::start`].
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Seconds since [`Stopwatch::start`].
    pub(crate) fn seconds(&self) -> f64 {
        self.elapsed().as_secs_f64()
    }
}

/// Seconds that this thread was on a processor.
pub(crate) fn thread_processor_seconds() -> f64 {
    seconds_of(ClockId::ThreadCPUTime)
}

/// Seconds that this thread could have run and others had the processors; 0 where the system does not tell.
pub(crate) fn thread_held_up_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text
        .split_whitespace()
        .nth(1)
        .and_then(|word| word.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

/// Seconds that all threads of this process were on processors, together.
pub(crate) fn process_processor_seconds() -> f64 {
    seconds_of(ClockId::ProcessCPUTime)
}

fn seconds_of(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
