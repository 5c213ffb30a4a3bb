//! Politeness: when a host may next be fetched.
//!
//! The delay runs from the end of one fetch to the start of the next, so that the server never
//! sees two requests closer than it, however long a connection took to set up. With several
//! fetches at once on a host (`per_host` over 1) it runs from start to start.

use std::time::Duration;

use crate::moment::Moment;
use crate::pace::Pace;

/// How hosts are treated; one for the whole crawl.
#[derive(Clone, Debug, PartialEq)]
pub struct Politeness {
    /// Least time between two fetches of a host. `None`: [`Politeness::PUBLIC_DELAY`] on public
    /// addresses, nothing on private and loopback ones.
    pub delay: Option<Duration>,
    /// A longer crawl-delay of a robots.txt is cut to this.
    pub max_crawl_delay: Duration,
    /// Fetches of one host at once.
    pub per_host: u16,
    /// First wait after a failure of a host; doubles with each failure in a row.
    pub backoff_first: Duration,
    /// Longest wait after failures, and the longest Retry-After that is obeyed.
    pub backoff_most: Duration,
    /// Failures of a host in a row after which its URLs are given up; 0 is never.
    pub max_host_failures: u32,
    /// How long a robots.txt answer holds; RFC 9309 2.4 says 24 h at most.
    pub robots_lifetime: Duration,
    /// Times an unreachable robots.txt is asked for before its host's URLs are given up.
    pub robots_attempts: u32,
    /// First wait before an unreachable robots.txt is asked again; doubles each time.
    pub robots_retry_first: Duration,
    /// Whether robots.txt is not asked for at all.
    pub ignore_robots: bool,
}

impl Politeness {
    /// The delay on public addresses where the user set none. Archives of the web's crawlers use
    /// one to five seconds; at one second a small site is not noticeably loaded.
    pub const PUBLIC_DELAY: Duration = Duration::from_secs(1);
}

impl Default for Politeness {
    fn default() -> Politeness {
        Politeness {
            delay: None,
            max_crawl_delay: Duration::from_secs(30),
            per_host: 1,
            backoff_first: Duration::from_secs(1),
            backoff_most: Duration::from_secs(300),
            max_host_failures: 20,
            robots_lifetime: Duration::from_secs(24 * 3600),
            robots_attempts: 4,
            robots_retry_first: Duration::from_secs(5),
            ignore_robots: false,
        }
    }
}

/// How a fetch went, as far as politeness is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// The server answered in this time (request sent to first byte).
    Answered(Duration),
    /// The server asked to come back later (429 or 503), in this time where it said.
    Overloaded(Option<Duration>),
    /// The server could not be reached, or broke off.
    Failed,
    /// The network was not used.
    None,
}

/// The memory of one host's behaviour.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manners {
    /// No fetch starts before this, by how the last ones ended.
    pub(crate) next_at: Moment,
    /// When the last fetch started, where several may run at once.
    last_start: Option<Moment>,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// The crawl-delay of the host's robots.txt.
    pub(crate) crawl_delay: Option<Duration>,
    /// Whether the host was seen to be on a private or loopback address.
    pub(crate) is_private: bool,
    latency_recent: Duration,
    latency_usual: Duration,
    /// The latency when the host is hardly asked: follows downwards soon, upwards slowly.
    latency_calm: Duration,
    /// The rate that it was found to bear.
    pub(crate) pace: Pace,
}

impl Manners {
    /// The least time between two fetches of this host now.
    pub(crate) fn delay(&self, politeness: &Politeness) -> Duration {
        let own = match politeness.delay {
            Some(delay) => delay,
            None if self.is_private => Duration::ZERO,
            None => Politeness::PUBLIC_DELAY,
        };
        let asked = self
            .crawl_delay
            .unwrap_or_default()
            .min(politeness.max_crawl_delay);
        own.max(asked)
    }

    /// When the next fetch may start, as far as is known now.
    pub(crate) fn may_start_at(&self, politeness: &Politeness) -> Moment {
        let spaced = self
            .last_start
            .map(|start| start.after(self.delay(politeness)));
        self.next_at
            .max(spaced.unwrap_or(Moment::EPOCH))
            .max(self.pace.next_at())
    }

    /// Notes that a fetch starts: with several at once, the next waits for the delay from here.
    pub(crate) fn note_start(&mut self, politeness: &Politeness, now: Moment) {
        if politeness.per_host > 1 {
            self.last_start = Some(now);
        }
        self.pace.note_start(now);
    }

    /// Notes how a fetch went and sets when the next may start.
    pub(crate) fn note_end(&mut self, contact: Contact, politeness: &Politeness, now: Moment) {
        let wait = match contact {
            Contact::None => return,
            Contact::Answered(latency) => {
                self.failures = 0;
                self.note_latency(latency);
                match politeness.per_host > 1 && self.is_crowded() {
                    true => self.pace.note_too_much(self.latency_recent, now),
                    false => self.pace.note_answer(now),
                }
                self.delay(politeness).mul_f64(self.slowdown())
            }
            Contact::Overloaded(asked) => {
                self.failures = self.failures.saturating_add(1);
                self.pace.note_too_much(self.latency_recent, now);
                asked
                    .unwrap_or_else(|| self.backoff(politeness))
                    .min(politeness.backoff_most)
            }
            Contact::Failed => {
                self.failures = self.failures.saturating_add(1);
                self.backoff(politeness)
            }
        };
        if politeness.per_host > 1 && matches!(contact, Contact::Answered(_)) {
            return;
        }
        let wait = wait.max(self.delay(politeness));
        self.next_at = self.next_at.max(now.after(wait));
    }

    /// Whether this many failures in a row are too many.
    pub(crate) fn is_given_up(&self, politeness: &Politeness) -> bool {
        politeness.max_host_failures > 0 && self.failures >= politeness.max_host_failures
    }

    fn backoff(&self, politeness: &Politeness) -> Duration {
        const MOST_DOUBLINGS: u32 = 20;
        let doublings = self.failures.saturating_sub(1).min(MOST_DOUBLINGS);
        politeness
            .backoff_first
            .saturating_mul(1 << doublings)
            .min(politeness.backoff_most)
    }

    /// Exponential averages over some 4 and some 32 answers.
    fn note_latency(&mut self, latency: Duration) {
        if self.latency_usual.is_zero() {
            self.latency_recent = latency;
            self.latency_usual = latency;
            self.latency_calm = latency;
        }
        self.latency_recent = (self.latency_recent * 3 + latency) / 4;
        self.latency_usual = (self.latency_usual * 31 + latency) / 32;
        self.latency_calm = match latency < self.latency_calm {
            true => (self.latency_calm * 15 + latency) / 16,
            false => self.latency_calm + self.latency_calm / 200,
        };
    }

    /// Whether the host answers so much slower than when it is hardly asked that its own queue must be the
    /// reason. Pages differ, so it takes a multiple, and a tenth of a second.
    fn is_crowded(&self) -> bool {
        const TIMES: u32 = 4;
        const LEAST: Duration = Duration::from_millis(100);
        let calm = self.latency_calm;
        self.latency_usual > calm * TIMES && self.latency_usual.saturating_sub(calm) > LEAST
    }

    /// How many times longer than usual to wait, because the host answers slower than usual:
    /// 1 up to twice the usual latency, then in proportion, 10 at most.
    fn slowdown(&self) -> f64 {
        const TOLERATED: f64 = 2.0;
        const MOST: f64 = 10.0;
        let usual = self.latency_usual.as_secs_f64();
        if usual <= 0.0 {
            return 1.0;
        }
        let growth = self.latency_recent.as_secs_f64() / usual;
        if growth > TOLERATED {
            growth.min(MOST)
        } else {
            1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn strangers_wait_a_second_and_own_hosts_none() {
        let politeness = Politeness::default();
        let mut manners = Manners::default();
        assert_eq!(manners.delay(&politeness), SECOND);
        manners.is_private = true;
        assert_eq!(manners.delay(&politeness), Duration::ZERO);
        let fixed = Politeness {
            delay: Some(3 * SECOND),
            ..politeness
        };
        assert_eq!(manners.delay(&fixed), 3 * SECOND);
    }

    #[test]
    fn crawl_delay_is_obeyed_up_to_its_bound() {
        let politeness = Politeness::default();
        let mut manners = Manners {
            crawl_delay: Some(7 * SECOND),
            ..Manners::default()
        };
        assert_eq!(manners.delay(&politeness), 7 * SECOND);
        manners.crawl_delay = Some(3_000 * SECOND);
        assert_eq!(manners.delay(&politeness), 30 * SECOND);
    }

    #[test]
    fn the_delay_runs_from_the_end() {
        let politeness = Politeness::default();
        let mut manners = Manners::default();
        let start = Moment::from_micros(5_000_000);
        manners.note_start(&politeness, start);
        let end = start.after(4 * SECOND);
        manners.note_end(Contact::Answered(SECOND), &politeness, end);
        assert_eq!(manners.may_start_at(&politeness), end.after(SECOND));
    }

    #[test]
    fn with_several_at_once_the_delay_runs_from_start_to_start() {
        let politeness = Politeness {
            per_host: 2,
            ..Politeness::default()
        };
        let mut manners = Manners::default();
        let start = Moment::from_micros(5_000_000);
        manners.note_start(&politeness, start);
        assert_eq!(manners.may_start_at(&politeness), start.after(SECOND));
        manners.is_private = true;
        assert_eq!(
            manners.may_start_at(&politeness),
            start,
            "seen to be one's own"
        );
    }

    #[test]
    fn failures_double_the_wait_and_an_answer_ends_it() {
        let politeness = Politeness::default();
        let mut manners = Manners::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            let before = manners.next_at;
            manners.note_end(Contact::Failed, &politeness, before);
            waits.push(manners.next_at.since(before).as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        manners.note_end(Contact::Answered(SECOND), &politeness, manners.next_at);
        assert_eq!(manners.failures, 0);
    }

    #[test]
    fn retry_after_is_obeyed_up_to_its_bound() {
        let politeness = Politeness::default();
        let mut manners = Manners::default();
        manners.note_end(
            Contact::Overloaded(Some(9 * SECOND)),
            &politeness,
            Moment::EPOCH,
        );
        assert_eq!(manners.next_at, Moment::EPOCH.after(9 * SECOND));
        manners.note_end(
            Contact::Overloaded(Some(9_000 * SECOND)),
            &politeness,
            Moment::EPOCH,
        );
        assert_eq!(manners.next_at, Moment::EPOCH.after(300 * SECOND));
    }

    #[test]
    fn growing_latency_lengthens_the_delay() {
        let politeness = Politeness::default();
        let mut manners = Manners::default();
        let mut now = Moment::EPOCH;
        for _ in 0..100 {
            manners.note_end(Contact::Answered(SECOND / 10), &politeness, now);
            now = manners.next_at;
        }
        for _ in 0..6 {
            now = manners.next_at;
            manners.note_end(Contact::Answered(2 * SECOND), &politeness, now);
        }
        assert!(manners.next_at.since(now) > 2 * SECOND);
        assert!(manners.next_at.since(now) <= 10 * SECOND);
    }
}
