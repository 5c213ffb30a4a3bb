//! The one place where the lab asks what time it is: it exists to measure time.

use std::time::{Duration, Instant};

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
