//! The status of a crawl: what its commit log says, and whether a process is at work on it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use nephila_frontier::Moment;
use nephila_store::{DirectoryLock, Holder};
use serde::Serialize;

use crate::clock::rfc3339;
use crate::directory::CrawlDirectory;
use crate::error::Error;
use crate::journal::{Entry, StopReason};
use crate::options::CrawlConfig;
use crate::row::millis;
use crate::state::{History, for_each_entry};
use crate::tally::HostTally;

/// Hosts whose queued URLs are counted one by one; what is over counts together.
const MOST_HOSTS: usize = 200_000;

/// Without a commit for this long, a running crawl waits for something slow.
const SLOW_COMMIT: Duration = Duration::from_secs(10);

/// How a crawl stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// A process is at work on it.
    Running,
    /// Its last run ended in good order; [`Status::reason`] says why.
    Stopped,
    /// Its last run was killed, or could not go on.
    BrokenOff,
}

/// What is known of a crawl, for a person and for programs.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Whether it runs.
    pub state: RunState,
    /// The process at work, where it is known.
    pub process: Option<u32>,
    /// Why the last run stopped, where it did: `done`, `max_pages`, `max_duration` or
    /// `interrupted`; `failed` where it could not go on and has left word of it.
    pub reason: Option<&'static str>,
    /// Why it still runs, or why it stopped, in a sentence.
    pub why: String,
    /// When the crawl was made, RFC 3339 in UTC.
    pub created_at: String,
    /// When the last outcome was committed.
    pub last_outcome_at: Option<String>,
    /// When the last run stopped in good order.
    pub stopped_at: Option<String>,
    /// Seconds of all runs that stopped in good order.
    pub ran_seconds: f64,
    /// Pages with an outcome.
    pub pages: u64,
    /// Of these without an answer, or with an error status.
    pub errors: u64,
    /// Pages by outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Pages with an answer, by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Fetches of robots.txt, sitemaps and feeds that have a row.
    pub side_fetches: u64,
    /// Bytes of bodies on the wire.
    pub wire_bytes: u64,
    /// Bytes of bodies after decompression.
    pub decoded_bytes: u64,
    /// Committed rows.
    pub rows: u64,
    /// Files that hold them.
    pub parts: u32,
    /// What waits.
    pub queued: QueueStatus,
    /// Hosts with a page or a queued URL.
    pub hosts_known: u64,
    /// The hosts with the most pages.
    pub hosts: Vec<HostStatus>,
}

/// The URLs that were admitted and have no outcome. Of a running crawl some of them are being
/// fetched.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct QueueStatus {
    /// How many.
    pub urls: u64,
    /// Of these, held back for good because their hosts reached `--max-pages-per-host`.
    pub held: u64,
    /// Hosts that have any, without those held back.
    pub hosts: u64,
    /// Of these, hosts that politeness lets be fetched now.
    pub ready_hosts: u64,
    /// Seconds until the first host may be fetched; 0 is now, `None` where nothing waits.
    pub next_in_seconds: Option<f64>,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostStatus {
    /// Name and port.
    pub host: String,
    /// Pages with an outcome.
    pub pages: u64,
    /// Of these without an answer, or with an error status.
    pub errors: u64,
    /// Mean time of a fetch, in milliseconds.
    pub mean_millis: f64,
    /// URLs that wait.
    pub queued: u64,
    /// Seconds until it may be fetched; 0 is now.
    pub next_in_seconds: f64,
}

impl Status {
    /// Reads the status of a crawl, also while a process works on it: nothing is changed, and
    /// nobody is kept out. `hosts` is how many hosts to tell of, `now` the time.
    ///
    /// Reads the commit log twice. Memory: 8 bytes a URL, and the counts of 200,000 hosts at most.
    ///
    /// # Errors
    /// [`ErrorKind::NotACrawl`](crate::ErrorKind::NotACrawl),
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt), and whatever the file system has against
    /// it.
    pub fn read(directory: &CrawlDirectory, hosts: usize, now: Moment) -> Result<Status, Error> {
        let (_, settings) = directory.read_config()?;
        let config = settings.check()?;
        // Before the log: a run that ends in between has then told why in the log.
        let holder = DirectoryLock::holder(&directory.state())?;
        let note = DirectoryLock::note(&directory.state())?;
        let history = History::read(&directory.state())?;
        let waiting = Waiting::read(directory, &history)?;
        Ok(Facts {
            config,
            holder,
            note,
            history,
            waiting,
            now,
        }
        .status(hosts))
    }
}

/// Queued URLs by host.
#[derive(Debug, Default)]
struct Waiting {
    hosts: HashMap<Box<str>, u64>,
    /// URLs of hosts that are not counted one by one.
    others: u64,
}

impl Waiting {
    /// Counts what the log held when `history` was read: a running crawl may have committed since.
    fn read(directory: &CrawlDirectory, history: &History) -> Result<Waiting, Error> {
        let mut waiting = Waiting::default();
        let mut commits = 0;
        for_each_entry(&directory.state(), None, |entry| match entry {
            // The last entry of each commit.
            Entry::Rows(_) => commits += 1,
            Entry::Admitted(queued)
                if commits < history.commits
                    && !history.is_done(queued.kind, queued.url.as_str()) =>
            {
                waiting.add(queued.url.host());
            }
            _ => {}
        })?;
        Ok(waiting)
    }

    fn add(&mut self, host: &str) {
        if let Some(count) = self.hosts.get_mut(host) {
            *count += 1;
        } else if self.hosts.len() < MOST_HOSTS {
            self.hosts.insert(host.into(), 1);
        } else {
            self.others += 1;
        }
    }
}

/// What a status is made from.
struct Facts {
    config: CrawlConfig,
    holder: Option<Holder>,
    /// Why the last run could not go on, in its own words.
    note: Option<String>,
    history: History,
    waiting: Waiting,
    now: Moment,
}

impl Facts {
    fn status(&self, hosts: usize) -> Status {
        let history = &self.history;
        let tally = &history.tally;
        let state = self.state();
        let queued = self.queue();
        let waiting = &self.waiting.hosts;
        let is_unvisited = |name: &str| tally.host(name).is_none_or(|host| host.pages == 0);
        let unvisited = waiting.keys().filter(|name| is_unvisited(name)).count();
        let visited = tally.hosts().filter(|(_, host)| host.pages > 0).count();
        let stopped = history.stopped.filter(|_| state == RunState::Stopped);
        Status {
            state,
            process: self.holder.and_then(|holder| holder.process),
            reason: match state {
                RunState::BrokenOff => self.note.as_ref().map(|_| "failed"),
                _ => stopped.map(|stop| stop.reason.as_str()),
            },
            why: self.why(state, &queued),
            created_at: rfc3339(history.created_at),
            last_outcome_at: (tally.pages() + tally.side_fetches > 0)
                .then(|| rfc3339(history.last_at)),
            stopped_at: stopped.map(|stop| rfc3339(stop.at)),
            ran_seconds: history.ran_millis as f64 / 1_000.0,
            pages: tally.pages(),
            errors: tally.errors(),
            outcomes: tally
                .outcomes()
                .map(|(outcome, count)| (outcome.as_str(), count))
                .collect(),
            statuses: tally.statuses.clone(),
            side_fetches: tally.side_fetches,
            wire_bytes: tally.wire_bytes,
            decoded_bytes: tally.decoded_bytes,
            rows: history.rows.rows,
            parts: history
                .rows
                .part
                .saturating_add(u32::from(history.rows.rows > 0)),
            queued,
            hosts_known: (visited + unvisited) as u64,
            hosts: self.hosts(hosts),
        }
    }

    fn state(&self) -> RunState {
        match (self.holder, self.history.stopped) {
            (Some(_), _) => RunState::Running,
            // What stopped may still have failed of its outputs.
            (None, Some(_)) if self.note.is_none() => RunState::Stopped,
            (None, _) => RunState::BrokenOff,
        }
    }

    fn queue(&self) -> QueueStatus {
        let mut queue = QueueStatus {
            urls: self.waiting.others,
            ..QueueStatus::default()
        };
        let mut next: Option<Duration> = None;
        for (name, count) in &self.waiting.hosts {
            queue.urls += count;
            let host = self.history.tally.host(name);
            if self.is_held(host) {
                queue.held += count;
                continue;
            }
            queue.hosts += 1;
            let wait = self.wait_of(host);
            queue.ready_hosts += u64::from(wait.is_zero());
            next = Some(next.map_or(wait, |next| next.min(wait)));
        }
        queue.next_in_seconds = next.map(seconds);
        queue
    }

    /// Whether the host's page limit is reached. In a crawl that is done, what waits is held back.
    fn is_held(&self, host: Option<&HostTally>) -> bool {
        let limit = self.config.max_pages_per_host.unwrap_or(u64::MAX);
        let is_done = self
            .history
            .stopped
            .is_some_and(|stop| stop.reason == StopReason::Done);
        is_done || host.is_some_and(|host| host.pages >= limit)
    }

    fn wait_of(&self, host: Option<&HostTally>) -> Duration {
        host.map_or(Duration::ZERO, |host| host.next_at.since(self.now))
    }

    fn hosts(&self, count: usize) -> Vec<HostStatus> {
        let tally = &self.history.tally;
        let mut hosts: Vec<HostStatus> = tally
            .top_hosts(count, |host| host.pages)
            .into_iter()
            .map(|(name, host)| self.host(name, Some(host)))
            .collect();
        // What has no page yet comes last.
        let left = count.saturating_sub(hosts.len());
        let mut others: Vec<(&str, u64)> = self
            .waiting
            .hosts
            .iter()
            .filter(|(name, _)| tally.host(name).is_none_or(|host| host.pages == 0))
            .map(|(name, queued)| (&**name, *queued))
            .collect();
        others.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        hosts.extend(
            others
                .into_iter()
                .take(left)
                .map(|(name, _)| self.host(name, tally.host(name))),
        );
        hosts
    }

    fn host(&self, name: &str, host: Option<&HostTally>) -> HostStatus {
        HostStatus {
            host: name.to_owned(),
            pages: host.map_or(0, |host| host.pages),
            errors: host.map_or(0, |host| host.errors),
            mean_millis: host.map_or(0.0, |host| millis(host.mean_fetch())),
            queued: self.waiting.hosts.get(name).copied().unwrap_or(0),
            next_in_seconds: seconds(self.wait_of(host)),
        }
    }

    fn why(&self, state: RunState, queue: &QueueStatus) -> String {
        match state {
            RunState::Running => self.why_running(queue),
            RunState::Stopped => self.why_stopped(queue),
            RunState::BrokenOff => {
                let last = self.history.last_at.max(self.history.created_at);
                let why = match &self.note {
                    Some(note) => format!("it could not go on: {note}"),
                    None => "killed or crashed".to_owned(),
                };
                format!("{why}: nothing was committed after {}", rfc3339(last))
            }
        }
    }

    fn why_running(&self, queue: &QueueStatus) -> String {
        let since = self
            .now
            .since(self.history.last_at.max(self.history.created_at));
        let is_slow = since > SLOW_COMMIT;
        match queue.next_in_seconds {
            None if queue.held > 0 => {
                "the last pages in flight end; what is queued is held back by \
                 --max-pages-per-host"
                    .to_owned()
            }
            None => "nothing is queued: the last pages in flight end".to_owned(),
            Some(wait) if wait > 0.0 => {
                format!("waiting for politeness: the next host may be fetched in {wait:.1} s")
            }
            Some(_) if is_slow => format!(
                "waiting for what is in flight: nothing was committed for {} s; slow servers, or \
                 hosts that failed and are tried again later",
                since.as_secs()
            ),
            Some(_) if queue.ready_hosts < queue.hosts => format!(
                "fetching: {} of the {} hosts with queued URLs may be fetched now, the others \
                 wait for politeness",
                queue.ready_hosts, queue.hosts
            ),
            Some(_) => {
                format!(
                    "fetching: {} hosts have URLs that may be fetched now",
                    queue.ready_hosts
                )
            }
        }
    }

    fn why_stopped(&self, queue: &QueueStatus) -> String {
        match self.history.stopped.map(|stop| stop.reason) {
            Some(StopReason::Done) if queue.held > 0 => format!(
                "done, but for {} URLs that --max-pages-per-host holds back",
                queue.held
            ),
            Some(StopReason::Done) | None => "done: nothing is left to fetch".to_owned(),
            Some(StopReason::MaxPages) => "stopped at --max-pages".to_owned(),
            Some(StopReason::MaxDuration) => "stopped at --max-duration".to_owned(),
            Some(StopReason::Interrupted) => "interrupted by a person or a signal".to_owned(),
        }
    }
}

/// A duration in seconds, to the millisecond.
fn seconds(duration: Duration) -> f64 {
    duration.as_millis() as f64 / 1_000.0
}

#[cfg(test)]
mod tests;
