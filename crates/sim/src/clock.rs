//! The one place where the test web asks what time it is.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Microseconds since the server started; never goes backwards.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that stands at zero now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the ban is on the crawler's crates: a server that records arrivals needs a clock"
    )]
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Microseconds since [`Clock::start`].
    pub(crate) fn micros(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Seconds since 1970, for headers with dates.
    #[expect(
        clippy::disallowed_methods,
        reason = "the ban is on the crawler's crates: a date in a header is the server's own"
    )]
    pub(crate) fn unix_seconds(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.unwrap_or_default().as_secs()
    }
}
