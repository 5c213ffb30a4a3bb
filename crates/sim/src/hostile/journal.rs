//! What was asked of the hostile server, and how each answer ended.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Requests that are noted; beyond it they are only answered.
const ENTRIES_MAX: usize = 200_000;

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Still under way.
    UnderWay,
    /// All was sent, and the connection stays.
    Kept,
    /// All was sent, and the server closed.
    Closed,
    /// All was sent, and the server reset the connection.
    Reset,
    /// The client went before all was sent.
    ClientLeft,
}

/// One request.
#[derive(Debug, Clone)]
pub struct HostileEntry {
    /// The connection's number, from 1 in the order of their arrival.
    pub connection: u64,
    /// When the request was whole, in microseconds since the server started.
    pub micros: u64,
    /// The Host header.
    pub host: String,
    /// Path and query as they came.
    pub target: String,
    /// The Cookie header.
    pub cookie: Option<String>,
    /// The Authorization header.
    pub authorization: Option<String>,
    /// Bytes of the answer that the system took.
    pub bytes_sent: u64,
    /// How the answer ended.
    pub ended: Ended,
}

/// The entries, and how often each path was asked for.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: Vec<HostileEntry>,
    /// By path; bounded like the entries.
    counts: HashMap<String, u32>,
    open: usize,
    most_open: usize,
}

impl Journal {
    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a request; gives its place, and how often its path was asked for before.
    pub(crate) fn note(&self, entry: HostileEntry) -> (Option<usize>, u32) {
        self.with(|inner| {
            if inner.entries.len() >= ENTRIES_MAX {
                return (None, 0);
            }
            let path = entry
                .target
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned();
            let count = inner.counts.entry(path).or_insert(0);
            let before = *count;
            *count += 1;
            inner.entries.push(entry);
            (Some(inner.entries.len() - 1), before)
        })
    }

    pub(crate) fn progress(&self, place: Option<usize>, bytes_sent: u64, ended: Ended) {
        self.with(|inner| {
            if let Some(entry) = place.and_then(|place| inner.entries.get_mut(place)) {
                entry.bytes_sent = bytes_sent;
                entry.ended = ended;
            }
        });
    }

    pub(crate) fn connected(&self) {
        self.with(|inner| {
            inner.open += 1;
            inner.most_open = inner.most_open.max(inner.open);
        });
    }

    pub(crate) fn disconnected(&self) {
        self.with(|inner| inner.open = inner.open.saturating_sub(1));
    }

    /// Connections open now.
    pub(crate) fn open(&self) -> usize {
        self.with(|inner| inner.open)
    }

    /// Connections open at once at most.
    pub(crate) fn most_open(&self) -> usize {
        self.with(|inner| inner.most_open)
    }

    pub(crate) fn entries(&self) -> Vec<HostileEntry> {
        self.with(|inner| inner.entries.clone())
    }
}
