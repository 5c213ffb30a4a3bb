//! What the frontier knows of one host.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use nephila_robots::Rules;

use crate::host_queue::HostQueue;
use crate::lease::Turn;
use crate::moment::Moment;
use crate::outcome::Outcome;
use crate::politeness::Manners;
use crate::queued::QueuedUrl;

/// What is known of one robots.txt.
#[derive(Debug, Default)]
pub(crate) enum RobotsState {
    /// Nothing yet: it is the first to be asked for.
    #[default]
    Unknown,
    /// Asked for; the lease is out.
    Asked { attempts: u32 },
    /// These rules hold until then.
    Known { rules: Arc<Rules>, until: Moment },
    /// Unreachable; asked again then.
    Unavailable {
        attempts: u32,
        retry_at: Moment,
        outcome: Outcome,
        why: Arc<str>,
    },
}

/// A URL that waits to be tried again.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) at: Moment,
    pub(crate) key: u32,
    pub(crate) url: QueuedUrl,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

/// One host: its queue, its turns and its manners.
///
/// Invariant: `waiting + leased.len() + parked.len() + idle` turns exist, `per_host` at most, and
/// a host with URLs that may be fetched has at least one turn waiting, parked or leased.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) name: Arc<str>,
    pub(crate) queue: HostQueue,
    /// URLs to try again, the earliest first.
    pub(crate) retries: BinaryHeap<Reverse<Waiting>>,
    pub(crate) manners: Manners,
    /// robots.txt of http and of https: they are two files (RFC 9309 2.3).
    pub(crate) robots: [RobotsState; 2],
    /// Turns in the frontier's ready heap.
    pub(crate) waiting: u16,
    /// Turns that wait for another lease of this host to finish.
    pub(crate) parked: Vec<Turn>,
    /// Turns with nothing to do.
    pub(crate) idle: u16,
    /// The queue keys of the leases that are out, and their URLs, but for a robots.txt.
    pub(crate) leased: Vec<(u32, Option<QueuedUrl>)>,
    /// Pages given out, each counted once however often it was tried.
    pub(crate) pages_started: u64,
    /// It has something to do, and counts as one of those.
    pub(crate) is_awake: bool,
    /// Its page limit is reached: what is queued stays queued.
    pub(crate) is_closed: bool,
    /// Tells a slot of the table that was given to another host since.
    pub(crate) generation: u32,
}

impl Host {
    pub(crate) fn new(name: Arc<str>, per_host: u16, generation: u32) -> Host {
        Host {
            name,
            queue: HostQueue::default(),
            retries: BinaryHeap::new(),
            manners: Manners::default(),
            robots: [RobotsState::Unknown, RobotsState::Unknown],
            waiting: 0,
            parked: Vec::new(),
            idle: per_host.max(1),
            leased: Vec::new(),
            pages_started: 0,
            is_awake: false,
            is_closed: false,
            generation,
        }
    }

    /// URLs that may be given out, now or later.
    pub(crate) fn available(&self) -> usize {
        let queued = if self.is_closed { 0 } else { self.queue.len() };
        queued + self.retries.len()
    }

    /// Whether nothing but its memory would be lost if it was forgotten.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.queue.len() == 0 && self.retries.is_empty() && self.leased.is_empty()
    }

    pub(crate) fn robots_mut(&mut self, scheme: &str) -> Option<&mut RobotsState> {
        self.robots.get_mut(usize::from(scheme == "https"))
    }

    /// Forgets the rules of its robots.txt files; returns the bytes that this frees.
    pub(crate) fn forget_robots(&mut self) -> usize {
        let mut freed = 0;
        for state in &mut self.robots {
            if let RobotsState::Known { rules, .. } = state {
                freed += rules.heap_bytes();
                *state = RobotsState::Unknown;
            }
        }
        freed
    }
}
