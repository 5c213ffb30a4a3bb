//! What a crawl has done so far, as figures that anyone may keep: small, whatever the crawl is.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::distribution::Step;
use crate::row::millis;
use crate::tally::{HostTally, Tally};

/// Hosts in each ranking.
const MOST_RANKED: usize = 50;

/// The counts of a crawl, of all its runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
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
    /// Pages that were fetched, by the bytes of their bodies after decompression.
    pub sizes: Vec<Step>,
    /// Pages that were answered, by the milliseconds of their fetch.
    pub fetch_millis: Vec<Step>,
    /// Pages with an outcome, by their link distance from a seed, 0 first; the last is of 63 and more.
    pub hops: Vec<u64>,
}

/// The hosts that stand out, 50 of each at most.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HostRankings {
    /// Hosts with a page, of the 200,000 that are counted one by one.
    pub hosts: u64,
    /// Pages of hosts that are not.
    pub other_pages: u64,
    /// Those with the most pages.
    pub largest: Vec<HostLine>,
    /// Those whose fetches take longest in the mean.
    pub slowest: Vec<HostLine>,
    /// Those with the most errors.
    pub failing: Vec<HostLine>,
}

/// One host.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HostLine {
    /// Name and port.
    pub host: String,
    /// Pages with an outcome.
    pub pages: u64,
    /// Of these without an answer, or with an error status.
    pub errors: u64,
    /// Mean time of a fetch, in milliseconds.
    pub mean_millis: f64,
    /// Bytes on the wire.
    pub wire_bytes: u64,
}

impl Counts {
    pub(crate) fn of(tally: &Tally) -> Counts {
        Counts {
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
            sizes: tally.sizes.steps(),
            fetch_millis: tally.fetch_millis.steps(),
            hops: tally.hops().to_vec(),
        }
    }
}

impl HostRankings {
    pub(crate) fn of(tally: &Tally) -> HostRankings {
        let lines = |hosts: Vec<(&str, &HostTally)>| hosts.into_iter().map(line).collect();
        let failing = tally.top_hosts(MOST_RANKED, |host| host.errors);
        HostRankings {
            hosts: tally.hosts().filter(|(_, host)| host.pages > 0).count() as u64,
            other_pages: tally.other_hosts_pages,
            largest: lines(tally.top_hosts(MOST_RANKED, |host| host.pages)),
            slowest: lines(tally.top_hosts(MOST_RANKED, HostTally::mean_fetch)),
            failing: failing
                .into_iter()
                .filter(|(_, host)| host.errors > 0)
                .map(line)
                .collect(),
        }
    }
}

fn line((name, host): (&str, &HostTally)) -> HostLine {
    HostLine {
        host: name.to_owned(),
        pages: host.pages,
        errors: host.errors,
        mean_millis: millis(host.mean_fetch()),
        wire_bytes: host.wire_bytes,
    }
}
