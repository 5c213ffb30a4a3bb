//! The summary of a crawl: `summary.json`, and what a person is shown at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::journal::StopReason;
use crate::tally::Tally;

/// The version of `summary.json`.
pub(crate) const SUMMARY_VERSION: u32 = 1;

/// How a crawl stands at the end of a run. All runs of the crawl count, but for the fields that
/// say otherwise.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// [`SUMMARY_VERSION`].
    pub version: u32,
    /// `done`, `max_pages`, `max_duration` or `interrupted`.
    pub stopped: String,
    /// The seeds, as given.
    pub seeds: u64,
    /// Seeds that gave a page, a redirect or a type that is not wanted.
    pub seeds_fetched: u64,
    /// Pages with an outcome.
    pub pages: u64,
    /// Pages by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Pages by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Fetches of robots.txt, sitemaps and feeds that have a row.
    pub side_fetches: u64,
    /// URLs that were admitted and have no outcome: `resume` goes on with them.
    pub queued: u64,
    /// Bytes of bodies on the wire.
    pub wire_bytes: u64,
    /// Bytes of bodies after decompression.
    pub decoded_bytes: u64,
    /// Hosts with a page.
    pub hosts: u64,
    /// The hosts with the longest mean time of a fetch.
    pub slowest_hosts: Vec<HostSummary>,
    /// The hosts with the most errors.
    pub failing_hosts: Vec<HostSummary>,
    /// Links refused in this run, by the option whose rule decided; repetitions count.
    pub refused_links: BTreeMap<String, u64>,
    /// Frames and meta refreshes in scope in this run that `--follow` does not name.
    pub not_followed: u64,
    /// Whether robots.txt was ignored.
    pub ignored_robots: bool,
    /// Pages that had the content of an earlier one, with `--skip-duplicates`: their links were not
    /// followed.
    #[serde(default)]
    pub duplicates: u64,
    /// Pages of this run.
    pub run_pages: u64,
    /// Seconds of this run.
    pub run_seconds: f64,
    /// Seconds of all runs.
    pub total_seconds: f64,
    /// Files of rows.
    pub parts: u32,
    /// Rows in them.
    pub rows: u64,
}

/// One host in the summary.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HostSummary {
    /// Its name and port.
    pub host: String,
    /// Pages with an outcome.
    pub pages: u64,
    /// Pages without an answer, or with an error status.
    pub errors: u64,
    /// Mean time of a fetch, in milliseconds.
    pub mean_millis: u64,
}

/// Hosts named in the summary.
const HOSTS_NAMED: usize = 5;

impl Summary {
    /// The counts of a tally; what only a run knows is left at nothing.
    pub(crate) fn of(tally: &Tally, reason: Option<StopReason>) -> Summary {
        let named = |hosts: Vec<(&str, &crate::tally::HostTally)>| {
            hosts
                .into_iter()
                .map(|(name, host)| HostSummary {
                    host: name.to_owned(),
                    pages: host.pages,
                    errors: host.errors,
                    mean_millis: host.mean_fetch().as_millis() as u64,
                })
                .collect::<Vec<_>>()
        };
        let slowest = named(tally.top_hosts(HOSTS_NAMED, |host| host.mean_fetch()));
        let failing = named(tally.top_hosts(HOSTS_NAMED, |host| host.errors));
        Summary {
            version: SUMMARY_VERSION,
            stopped: reason.map_or("running", StopReason::as_str).to_owned(),
            seeds: 0,
            seeds_fetched: tally.seeds_fetched,
            pages: tally.pages(),
            outcomes: tally
                .outcomes()
                .map(|(outcome, count)| (outcome.as_str().to_owned(), count))
                .collect(),
            statuses: tally.statuses.clone(),
            side_fetches: tally.side_fetches,
            queued: 0,
            wire_bytes: tally.wire_bytes,
            decoded_bytes: tally.decoded_bytes,
            hosts: tally.hosts().filter(|(_, host)| host.pages > 0).count() as u64,
            slowest_hosts: slowest,
            failing_hosts: failing.into_iter().filter(|host| host.errors > 0).collect(),
            refused_links: BTreeMap::new(),
            not_followed: 0,
            ignored_robots: false,
            duplicates: 0,
            run_pages: 0,
            run_seconds: 0.0,
            total_seconds: 0.0,
            parts: 0,
            rows: 0,
        }
    }

    /// Whether the run ended because a person or a signal asked for it.
    pub fn is_interrupted(&self) -> bool {
        self.stopped == StopReason::Interrupted.as_str()
    }

    /// The time of this run.
    pub fn run_time(&self) -> Duration {
        Duration::from_secs_f64(self.run_seconds.max(0.0))
    }
}
