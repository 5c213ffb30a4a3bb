//! What a running crawl shows: counters that every shard adds to and anyone may read.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Live counters. Reading them costs the crawl nothing; they may be a moment apart.
#[derive(Debug, Default)]
pub struct Progress {
    pages: AtomicU64,
    errors: AtomicU64,
    wire_bytes: AtomicU64,
    in_flight: AtomicI64,
    queued: AtomicI64,
    hosts: AtomicI64,
    not_followed: AtomicU64,
    refused: [AtomicU64; REFUSALS.len()],
}

/// The options whose rules can refuse a link, in the order of the counters.
pub(crate) const REFUSALS: [&str; 13] = [
    "scope",
    "include",
    "exclude",
    "max-url-length",
    "max-hops",
    "max-repeated-segments",
    "max-query-variants",
    "max-path-depth",
    "max-date-ahead",
    "max-shape-repeats",
    "max-copies",
    "skip-duplicates",
    "nofollow",
];

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Pages done, in this run.
    pub pages: u64,
    /// Of these without an answer, or with an error status.
    pub errors: u64,
    /// Bytes of bodies on the wire, in this run.
    pub wire_bytes: u64,
    /// Leases that are out.
    pub in_flight: u64,
    /// URLs that wait.
    pub queued: u64,
    /// Hosts that are known.
    pub hosts: u64,
}

impl Progress {
    /// The counters now.
    pub fn snapshot(&self) -> Snapshot {
        let level = |counter: &AtomicI64| counter.load(Ordering::Relaxed).max(0) as u64;
        Snapshot {
            pages: self.pages.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            wire_bytes: self.wire_bytes.load(Ordering::Relaxed),
            in_flight: level(&self.in_flight),
            queued: level(&self.queued),
            hosts: level(&self.hosts),
        }
    }

    /// Links that each rule refused in this run, by the option that decides; repetitions count.
    pub fn refused(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self
            .refused
            .iter()
            .map(|counter| counter.load(Ordering::Relaxed));
        REFUSALS
            .into_iter()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
    }

    /// Frames and meta refreshes within the scope that `--follow` does not name.
    pub fn not_followed(&self) -> u64 {
        self.not_followed.load(Ordering::Relaxed)
    }

    pub(crate) fn add_page(&self, is_error: bool, wire_bytes: u64) {
        self.pages.fetch_add(1, Ordering::Relaxed);
        self.errors
            .fetch_add(u64::from(is_error), Ordering::Relaxed);
        self.wire_bytes.fetch_add(wire_bytes, Ordering::Relaxed);
    }

    pub(crate) fn add_levels(&self, in_flight: i64, queued: i64, hosts: i64) {
        self.in_flight.fetch_add(in_flight, Ordering::Relaxed);
        self.queued.fetch_add(queued, Ordering::Relaxed);
        self.hosts.fetch_add(hosts, Ordering::Relaxed);
    }

    pub(crate) fn add_not_followed(&self, count: u64) {
        self.not_followed.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn add_refusals(&self, option: &str, count: u64) {
        let place = REFUSALS.iter().position(|name| *name == option);
        if let Some(counter) = place.and_then(|place| self.refused.get(place)) {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }
}
