//! robots.txt in the frontier: the first URL of every host, and the gate before all others
//! (RFC 9309).

use std::time::Duration;

use super::Frontier;
use crate::canonical::CanonicalUrl;
use crate::fingerprint::UrlKind;
use crate::host::{Host, RobotsState};
use crate::lease::RobotsAnswer;
use crate::moment::Moment;
use crate::outcome::Outcome;
use crate::politeness::Politeness;
use crate::queued::{DEFAULT_PRIORITY, QueuedUrl};

impl<S, O> Frontier<S, O> {
    /// Takes what a robots.txt said.
    pub(super) fn note_robots(
        &mut self,
        number: u32,
        url: &QueuedUrl,
        answer: RobotsAnswer,
        now: Moment,
    ) {
        let politeness = &self.config.politeness;
        let Some(host) = self.hosts.get_mut(number as usize) else {
            return;
        };
        let Some(state) = host.robots_mut(url.url.scheme()) else {
            return;
        };
        match answer {
            RobotsAnswer::Rules(rules) => {
                self.robots_bytes += rules.heap_bytes();
                *state = RobotsState::Known {
                    rules,
                    until: now.after(politeness.robots_lifetime),
                };
            }
            RobotsAnswer::Unavailable {
                outcome,
                why,
                is_passing,
            } => {
                const MOST_DOUBLINGS: u32 = 16;
                const GIVEN_UP_FOR: Duration = Duration::from_secs(600);
                let attempts = match state {
                    RobotsState::Asked { attempts } => *attempts + 1,
                    _ => 1,
                };
                let attempts = if is_passing {
                    attempts
                } else {
                    attempts.max(politeness.robots_attempts)
                };
                let doublings = attempts.saturating_sub(1).min(MOST_DOUBLINGS);
                let wait = politeness.robots_retry_first.saturating_mul(1 << doublings);
                // Given up for a while: longer than any back-off, so that its URLs are refused
                // before it is asked for again.
                let is_given_up = attempts >= politeness.robots_attempts;
                let least = if is_given_up {
                    GIVEN_UP_FOR + politeness.backoff_most
                } else {
                    wait
                };
                let retry_at = now.after(wait.min(politeness.robots_lifetime).max(least));
                *state = RobotsState::Unavailable {
                    attempts,
                    retry_at,
                    outcome,
                    why,
                };
            }
        }
        self.shed_robots(number);
    }

    /// Forgets rules, of one host after the other, until they fit in their memory again.
    fn shed_robots(&mut self, keep: u32) {
        for _ in 0..self.hosts.len() {
            if self.robots_bytes <= self.config.robots_memory_bytes {
                return;
            }
            self.robots_hand = (self.robots_hand + 1) % self.hosts.len().max(1);
            if self.robots_hand == keep as usize {
                continue;
            }
            if let Some(host) = self.hosts.get_mut(self.robots_hand) {
                self.robots_bytes = self.robots_bytes.saturating_sub(host.forget_robots());
            }
        }
    }
}

/// What robots.txt says of the URL that is next.
pub(super) enum Gate {
    /// It may be fetched.
    Allowed,
    /// This is to be fetched first: the robots.txt itself.
    Ask(QueuedUrl),
    /// The robots.txt is being fetched.
    Wait,
    /// The robots.txt was unreachable, and is asked for again then.
    WaitUntil(Moment),
    /// It is not to be fetched, for this reason.
    Denied(Outcome, String),
}

/// Holds the next URL of a host against its robots.txt; the file is the first to be fetched, and
/// again when its rules are too old.
pub(super) fn robots_gate(
    host: &mut Host,
    url: &CanonicalUrl,
    politeness: &Politeness,
    robots_bytes: &mut usize,
    now: Moment,
) -> Gate {
    let Some(state) = host.robots_mut(url.scheme()) else {
        return Gate::Allowed;
    };
    let attempts = match state {
        RobotsState::Known { rules, until } if now < *until => {
            if rules.allows(url.path_and_query()) {
                return Gate::Allowed;
            }
            let decision = rules.decide(url.path_and_query());
            let why = match decision.rule {
                Some(rule) => format!("robots.txt line {}: Disallow: {}", rule.line, rule.pattern),
                None => "robots.txt disallows everything".to_owned(),
            };
            return Gate::Denied(Outcome::RobotsDenied, why);
        }
        RobotsState::Known { rules, .. } => {
            *robots_bytes = robots_bytes.saturating_sub(rules.heap_bytes());
            0
        }
        RobotsState::Unknown => 0,
        RobotsState::Asked { .. } => return Gate::Wait,
        RobotsState::Unavailable {
            attempts,
            retry_at,
            outcome,
            why,
        } => {
            if now < *retry_at && *attempts >= politeness.robots_attempts {
                return Gate::Denied(*outcome, why.to_string());
            }
            if now < *retry_at {
                return Gate::WaitUntil(*retry_at);
            }
            *attempts
        }
    };
    let Some(robots) = url.sibling("/robots.txt") else {
        return Gate::Allowed;
    };
    *state = RobotsState::Asked { attempts };
    Gate::Ask(QueuedUrl {
        url: robots,
        kind: UrlKind::Robots,
        hops: 0,
        redirects: 0,
        attempts: u8::try_from(attempts).unwrap_or(u8::MAX),
        priority: DEFAULT_PRIORITY,
        referrer: None,
        admitted_at: now,
    })
}
