//! The one file in the crawler that asks what time it is.
//!
//! Everything else is handed a [`Moment`] or a clock. Within a process time never goes back: the
//! wall clock is read once and what has passed since is added from the monotonic clock.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nephila_frontier::Moment;
use tokio::time::Instant;

/// Tells the time: the wall clock's at the start, and the monotonic clock's from there on.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started_at: Moment,
    started: Instant,
}

impl Clock {
    /// A clock that starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one file that asks what time it is"
    )]
    pub fn start() -> Clock {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let micros = since_epoch.unwrap_or_default().as_micros();
        Clock::starting_at(Moment::from_micros(
            u64::try_from(micros).unwrap_or(u64::MAX),
        ))
    }

    /// A clock for which it is `moment` now. On a runtime whose time is paused it goes with that
    /// time: so the whole engine runs on virtual time.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one file that asks what time it is"
    )]
    pub(crate) fn starting_at(moment: Moment) -> Clock {
        Clock {
            started_at: moment,
            started: Instant::now(),
        }
    }

    /// Now.
    pub fn now(&self) -> Moment {
        self.started_at.after(self.elapsed())
    }

    /// Since this clock was started.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one file that asks what time it is"
    )]
    pub fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(self.started)
    }

    /// When this clock was started.
    pub fn started_at(&self) -> Moment {
        self.started_at
    }

    /// The same clock for the fetch crate, which reads none itself.
    pub fn for_fetch(&self) -> nephila_fetch::Clock {
        let clock = *self;
        Arc::new(move || clock.elapsed())
    }
}

/// A moment as RFC 3339 in UTC with milliseconds: `2026-11-23T04:26:57.123Z`.
pub fn rfc3339(moment: Moment) -> String {
    let micros = moment.as_micros();
    let (days, rest) = (micros / 86_400_000_000, micros % 86_400_000_000);
    let (year, month, day) = civil_from_days(days);
    let (seconds, millis) = (rest / 1_000_000, rest / 1_000 % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Year, month and day of a day counted from 1970-01-01 (Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms", civil_from_days, for days that are not negative).
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_rfc_3339() {
        let rows = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
            (1_709_164_799_999_000, "2024-02-28T23:59:59.999Z"),
            (1_795_408_017_123_456, "2026-11-23T04:26:57.123Z"),
        ];
        for (micros, text) in rows {
            assert_eq!(rfc3339(Moment::from_micros(micros)), text);
        }
    }

    #[test]
    fn time_does_not_go_back() {
        let clock = Clock::start();
        let first = clock.now();
        assert!(clock.now() >= first && first >= clock.started_at());
    }
}
