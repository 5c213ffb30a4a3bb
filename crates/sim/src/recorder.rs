//! The server's memory: the log, what is in flight on each host, and the few answers that depend on
//! what was asked before.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::address::PageId;
use crate::clock::Clock;
use crate::log::{Log, LogEntry, LogMode};
use crate::plan::Plan;
use crate::reply::{Ask, Resource};

/// Flaky pages that were asked for once; those beyond this many answer 200 at once.
const MAX_FLAKY: usize = 1 << 20;
/// Bytes of paths that are no pages, and of names that are no hosts; those beyond read `?`.
const MAX_TEXT_BYTES: usize = 64 << 20;

/// Counts since the server started.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Stats {
    /// Requests read, the control host's apart.
    pub requests: u64,
    /// Connections accepted.
    pub connections: u64,
    /// Connections open now.
    pub open: u64,
    /// The most connections open at once.
    pub most_open: u64,
    /// Requests being answered now.
    pub in_flight: u64,
    /// The most requests answered at once.
    pub most_in_flight: u64,
    /// Bytes of bodies before compression.
    pub body_bytes: u64,
    /// Answers by status; 0 is none.
    pub by_status: BTreeMap<u16, u64>,
}

/// A request in the log, 48 bytes: its names are made when the log is read.
#[derive(Debug, Clone, Copy)]
struct Row {
    at_micros: u64,
    done_micros: u64,
    connection: u64,
    target: Target,
    in_flight: u32,
    status: u16,
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
enum Target {
    Page(PageId),
    Robots(u32),
    /// A place in `Inner::texts`.
    Text(u32),
}

/// What the server knows of one host.
#[derive(Debug, Clone, Copy, Default)]
struct HostState {
    in_flight: u32,
    /// When the answers booked so far would have been given at the host's rate (GCRA).
    booked_micros: u64,
}

#[derive(Debug)]
struct Inner {
    rows: Vec<Row>,
    texts: Vec<(Box<str>, Box<str>)>,
    text_bytes: usize,
    dropped: u64,
    hosts: Vec<HostState>,
    flaky: HashSet<u64>,
    stats: Stats,
}

/// Notes every request; one lock, held for some hundred nanoseconds.
#[derive(Debug)]
pub(crate) struct Recorder {
    clock: Clock,
    most_rows: usize,
    max_rate: Option<f64>,
    inner: Mutex<Inner>,
}

/// What the host makes of a request before its page is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It answers what the page is.
    Calm,
    /// It answers 503, as this page does when it is asked for first.
    Flaky,
    /// It answers 429 or 503 with Retry-After.
    TooFast,
}

impl Recorder {
    pub(crate) fn new(plan: &Plan, mode: LogMode) -> Self {
        let most_rows = match mode {
            LogMode::Off => 0,
            LogMode::Entries(count) => count,
        };
        let inner = Inner {
            rows: Vec::with_capacity(most_rows.min(1 << 16)),
            texts: Vec::new(),
            text_bytes: 0,
            dropped: 0,
            hosts: vec![HostState::default(); plan.web.hosts as usize],
            flaky: HashSet::new(),
            stats: Stats::default(),
        };
        let max_rate = plan.web.max_rate;
        Self {
            clock: Clock::start(),
            most_rows,
            max_rate,
            inner: Mutex::new(inner),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a connection and gives it its number; [`Recorder::disconnect`] ends it.
    pub(crate) fn connect(&self) -> u64 {
        let stats = &mut self.lock().stats;
        stats.connections += 1;
        stats.open += 1;
        stats.most_open = stats.most_open.max(stats.open);
        stats.connections
    }

    pub(crate) fn disconnect(&self) {
        let stats = &mut self.lock().stats;
        stats.open = stats.open.saturating_sub(1);
    }

    /// Notes that a request was read. `flaky` is the place of the page among all pages where it is a
    /// flaky one.
    pub(crate) fn begin(
        self: &Arc<Self>,
        connection: u64,
        ask: &Ask<'_>,
        resource: Resource,
        flaky: Option<u64>,
    ) -> (Asked, Mood) {
        let mut inner = self.lock();
        let at_micros = self.clock.micros();
        let mood = inner.mood(ask.host_number, flaky, self.max_rate, at_micros);
        let in_flight = inner.enter(ask.host_number);
        let row = if inner.rows.len() < self.most_rows {
            let target = inner.target(ask, resource);
            let done_micros = at_micros;
            inner.rows.push(Row {
                at_micros,
                done_micros,
                connection,
                target,
                in_flight,
                status: 0,
            });
            Some(inner.rows.len() - 1)
        } else {
            inner.dropped += u64::from(self.most_rows > 0);
            None
        };
        let recorder = Arc::clone(self);
        (
            Asked {
                recorder,
                row,
                host: ask.host_number,
                status: 0,
                body_bytes: 0,
                is_sent: false,
            },
            mood,
        )
    }

    pub(crate) fn stats(&self) -> Stats {
        self.lock().stats.clone()
    }

    /// The log with its names.
    pub(crate) fn log(&self, plan: &Plan) -> Log {
        let inner = self.lock();
        let entry = |row: &Row| {
            let (host, path) = match row.target {
                Target::Page(id) => (plan.web.host_name(id.host), plan.web.path(id)),
                Target::Robots(host) => (plan.web.host_name(host), "/robots.txt".to_owned()),
                Target::Text(place) => match inner.texts.get(place as usize) {
                    Some((host, path)) => (host.to_string(), path.to_string()),
                    None => ("?".to_owned(), "?".to_owned()),
                },
            };
            LogEntry {
                host,
                path,
                status: row.status,
                at_micros: row.at_micros,
                done_micros: row.done_micros,
                connection: row.connection,
                in_flight_on_host: row.in_flight,
            }
        };
        Log {
            entries: inner.rows.iter().map(entry).collect(),
            dropped: inner.dropped,
        }
    }
}

impl Inner {
    fn mood(
        &mut self,
        host: Option<u32>,
        flaky: Option<u64>,
        max_rate: Option<f64>,
        now_micros: u64,
    ) -> Mood {
        let state = host.and_then(|host| self.hosts.get_mut(host as usize));
        if let (Some(rate), Some(state)) = (max_rate, state) {
            if state.booked_micros > now_micros.saturating_add(1_000_000) {
                return Mood::TooFast;
            }
            state.booked_micros = state.booked_micros.max(now_micros) + (1e6 / rate) as u64;
        }
        match flaky {
            Some(place) if self.flaky.len() < MAX_FLAKY && self.flaky.insert(place) => Mood::Flaky,
            _ => Mood::Calm,
        }
    }

    fn enter(&mut self, host: Option<u32>) -> u32 {
        self.stats.requests += 1;
        self.stats.in_flight += 1;
        self.stats.most_in_flight = self.stats.most_in_flight.max(self.stats.in_flight);
        match host.and_then(|host| self.hosts.get_mut(host as usize)) {
            Some(state) => {
                state.in_flight += 1;
                state.in_flight
            }
            None => 1,
        }
    }

    fn target(&mut self, ask: &Ask<'_>, resource: Resource) -> Target {
        match (resource, ask.host_number) {
            (Resource::Page(id), _) => return Target::Page(id),
            (Resource::Robots(host), _) if ask.target == b"/robots.txt" => {
                return Target::Robots(host);
            }
            _ => {}
        }
        let host = ask.host_name.to_ascii_lowercase();
        let host = host.split(':').next().unwrap_or_default();
        let path = String::from_utf8_lossy(ask.target);
        self.text_bytes += host.len() + path.len();
        if self.text_bytes > MAX_TEXT_BYTES {
            return Target::Text(u32::MAX);
        }
        self.texts.push((host.into(), path.into()));
        Target::Text((self.texts.len() - 1) as u32)
    }
}

/// A request that is being answered. It is in flight until this is dropped.
#[derive(Debug)]
pub(crate) struct Asked {
    recorder: Arc<Recorder>,
    row: Option<usize>,
    host: Option<u32>,
    status: u16,
    body_bytes: u64,
    is_sent: bool,
}

impl Asked {
    /// The answer is about to be sent: from now on the log shows its status, so that it does for a
    /// client that has read the answer and looks into the log at once.
    pub(crate) fn sending(&mut self, status: u16, body_bytes: usize) {
        self.status = status;
        self.body_bytes = body_bytes as u64;
        let mut inner = self.recorder.lock();
        let done_micros = self.recorder.clock.micros();
        if let Some(row) = self.row.and_then(|row| inner.rows.get_mut(row)) {
            row.done_micros = done_micros;
            row.status = status;
        }
    }

    /// All of it was sent.
    pub(crate) fn sent(&mut self) {
        self.is_sent = true;
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.is_sent {
            (self.status, self.body_bytes) = (0, 0);
        }
        let mut inner = self.recorder.lock();
        let done_micros = self.recorder.clock.micros();
        inner.stats.in_flight = inner.stats.in_flight.saturating_sub(1);
        inner.stats.body_bytes += self.body_bytes;
        *inner.stats.by_status.entry(self.status).or_default() += 1;
        if let Some(state) = self
            .host
            .and_then(|host| inner.hosts.get_mut(host as usize))
        {
            state.in_flight = state.in_flight.saturating_sub(1);
        }
        if let Some(row) = self.row.and_then(|row| inner.rows.get_mut(row)) {
            row.done_micros = done_micros;
            row.status = self.status;
        }
    }
}
