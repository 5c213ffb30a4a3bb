//! Turns and leases: the right to fetch a host, as something that can be held once.

use std::sync::Arc;
use std::time::Duration;

use nephila_robots::Rules;

use crate::fingerprint::UrlKind;
use crate::moment::Moment;
use crate::outcome::Outcome;
use crate::politeness::Contact;
use crate::queued::QueuedUrl;

/// One of a host's turns. A host has as many as fetches of it may run at once, and a turn cannot
/// be copied: it is in the frontier, or inside one lease. That ownership is the politeness.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    pub(crate) host: u32,
    /// Since when it waits for the host's next fetch.
    pub(crate) since: Moment,
}

/// The right to fetch one URL now. It cannot be cloned; it ends with
/// [`Frontier::finish`](crate::Frontier::finish).
#[derive(Debug)]
#[must_use = "a lease that is dropped takes its host's turn with it"]
pub struct Lease {
    pub(crate) turn: Turn,
    pub(crate) url: QueuedUrl,
    pub(crate) key: u32,
    /// When politeness let the host be fetched.
    pub(crate) ready_at: Moment,
    pub(crate) leased_at: Moment,
}

impl Lease {
    /// What to fetch.
    pub fn url(&self) -> &QueuedUrl {
        &self.url
    }

    /// Whether this is the host's robots.txt, to be finished with [`Then::Robots`].
    pub fn is_robots(&self) -> bool {
        self.url.kind == UrlKind::Robots
    }

    /// How long the URL waited in its queue.
    pub fn queued_for(&self) -> Duration {
        self.leased_at.since(self.url.admitted_at)
    }

    /// For how long politeness held the host back, since this URL was the next of it.
    pub fn rested_for(&self) -> Duration {
        self.ready_at.since(self.turn.since)
    }

    /// For how long nobody asked for the lease after that.
    pub fn ready_for(&self) -> Duration {
        self.leased_at.since(self.ready_at.max(self.turn.since))
    }

    /// When the lease was given out.
    pub fn leased_at(&self) -> Moment {
        self.leased_at
    }
}

/// How a lease ends.
#[derive(Debug)]
pub struct Finish {
    /// How the host behaved: sets when it may next be fetched.
    pub contact: Contact,
    /// Whether the host's address is private or loopback, where that was seen.
    pub is_private: Option<bool>,
    /// What becomes of the URL.
    pub then: Then,
}

/// What becomes of a leased URL.
#[derive(Debug)]
pub enum Then {
    /// It has its outcome and leaves the frontier.
    Done,
    /// It goes back to its queue as one attempt more, and is not given out before this long.
    Retry(Duration),
    /// It could not be asked for, by no fault of its own; it goes back as if never given out (a
    /// robots.txt is asked for again before the host's next URL), and its host rests this long.
    Defer(Duration),
    /// It was the robots.txt of its host.
    Robots(RobotsAnswer),
}

/// What a robots.txt said.
#[derive(Clone, Debug)]
pub enum RobotsAnswer {
    /// These rules hold; a missing file (4xx) allows all (RFC 9309 2.3.1.3).
    Rules(Arc<Rules>),
    /// It could not be had: nothing of the host is fetched until it can (RFC 9309 2.3.1.4).
    Unavailable {
        /// The outcome that its host's URLs get when it is given up.
        outcome: Outcome,
        /// The words beside it.
        why: Arc<str>,
        /// Whether asking again soon may help; otherwise it is given up at once.
        is_passing: bool,
    },
}

/// A URL that leaves the frontier without being fetched.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Which.
    pub url: QueuedUrl,
    /// The outcome it is recorded with.
    pub outcome: Outcome,
    /// The rule that decided, in words.
    pub why: String,
}
