//! When hosts may be fetched again after a restart.

use std::time::Duration;

use nephila_frontier::{FirstPause, Moment};

use crate::options::CrawlConfig;
use crate::setup::is_known_private;
use crate::state::History;
use crate::tally::HostTally;

/// The delay of hosts of which nothing is known (`--delay auto`).
const USUAL_DELAY: Duration = Duration::from_secs(1);

/// Politeness across a restart.
///
/// A run that stopped in good order has committed every fetch, so each host's next moment is known.
/// One that was broken off may have fetched from any host until it died, and not have noted it: then
/// each host is given its usual pause from now on, so that it is not hit sooner because the crawler
/// died. The wall clock may have been set in between: no host waits longer than politeness ever asks.
#[derive(Debug)]
pub(crate) struct Pace<'a> {
    config: &'a CrawlConfig,
    pub(crate) now: Moment,
    is_broken_off: bool,
}

impl<'a> Pace<'a> {
    /// The pace after what a log tells. Of a new crawl nothing was fetched yet; one that is gone on
    /// with may have died before its first commit.
    pub(crate) fn after(
        history: &History,
        config: &'a CrawlConfig,
        now: Moment,
        is_new: bool,
    ) -> Pace<'a> {
        Pace {
            config,
            now,
            is_broken_off: !is_new && history.stopped.is_none(),
        }
    }

    /// When a host may be fetched of which something was committed.
    pub(crate) fn next_at(&self, name: &str, host: &HostTally) -> Moment {
        let config = self.config;
        let longest = config.max_retry_after.max(config.max_crawl_delay);
        let longest = longest.max(config.delay.0.unwrap_or(USUAL_DELAY));
        let pause = match self.is_broken_off {
            true if host.pace > Duration::ZERO => host.pace.min(longest),
            true => delay(config, name),
            false => Duration::ZERO,
        };
        let next_at = host.next_at.max(self.now.after(pause));
        next_at.min(self.now.after(longest))
    }

    /// When a host may be fetched, by its name, of which no fetch was committed: one may have been made.
    pub(crate) fn of_unknown(&self) -> Option<FirstPause> {
        let (config, now) = (self.config.clone(), self.now);
        self.is_broken_off.then(|| {
            FirstPause::new(move |name| {
                let delay = delay(&config, name);
                (delay > Duration::ZERO).then(|| now.after(delay))
            })
        })
    }
}

/// The delay of a host of which nothing more is known.
fn delay(config: &CrawlConfig, name: &str) -> Duration {
    match config.delay.0 {
        Some(delay) => delay,
        None if is_known_private(config, name) => Duration::ZERO,
        None => USUAL_DELAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::StopEntry;
    use crate::options::Settings;

    fn at(seconds: u64) -> Moment {
        Moment::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_host_is_not_hit_sooner_because_the_crawler_died() {
        let config = Settings::new().check().unwrap();
        let mut history = History::default();
        let host = HostTally {
            next_at: at(100),
            pace: Duration::from_secs(7),
            ..HostTally::default()
        };
        let died = Pace::after(&history, &config, at(103), false);
        assert_eq!(died.next_at("a.test", &host), at(110));
        assert!(died.of_unknown().is_some());
        assert_eq!(delay(&config, "unknown.test"), Duration::from_secs(1));
        assert_eq!(delay(&config, "127.0.0.1:8000"), Duration::ZERO);
        let new = Pace::after(&history, &config, at(103), true);
        assert!(new.of_unknown().is_none());
        history.stopped = Some(StopEntry {
            reason: crate::StopReason::Interrupted,
            at: at(99),
            ran_millis: 1,
        });
        let stopped = Pace::after(&history, &config, at(103), false);
        assert_eq!(stopped.next_at("a.test", &host), at(103));
        assert!(stopped.of_unknown().is_none());
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_host_wait_for_it() {
        let config = Settings::new().check().unwrap();
        let history = History::default();
        let host = HostTally {
            next_at: at(1_000_000),
            ..HostTally::default()
        };
        let pace = Pace::after(&history, &config, at(10), false);
        assert_eq!(
            pace.next_at("a.test", &host),
            at(10).after(config.max_retry_after)
        );
    }
}
