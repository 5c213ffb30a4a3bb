//! What the commit log and the rows say of one URL.

use std::collections::BTreeMap;

use nephila_frontier::{CanonicalUrl, QueuedUrl, UrlKind};
use nephila_store::PartPosition;
use regex::bytes::Regex;
use serde::Deserialize;

use super::{DoneVisit, VisitFacts, is_unqueued, rank};
use crate::clock::rfc3339;
use crate::committed_rows::{CommittedRows, RowPlace};
use crate::directory::CrawlDirectory;
use crate::error::{Error, ErrorKind};
use crate::journal::{DoneEntry, Entry};
use crate::state::for_each_entry;
use crate::tally::Tally;

/// What the log says of a URL and its host.
#[derive(Debug, Default)]
pub(super) struct LogSearch {
    /// The URL, by the rank of what it was asked for as.
    pub(super) visits: BTreeMap<u8, LogVisit>,
    /// The robots.txt of its host and scheme.
    pub(super) robots: Option<DoneEntry>,
    /// The counts of its host.
    pub(super) tally: Tally,
    all: Counts,
    of_host: Counts,
    /// Pages that were admitted and differ from it only in their query.
    pub(super) variants: u32,
    /// Where the rows end.
    pub(super) rows: PartPosition,
}

/// URLs that went through a queue. An outlink may be done in an earlier commit than the one that
/// admits it: only the totals count.
#[derive(Debug, Default)]
struct Counts {
    admitted: u64,
    done: u64,
}

/// A URL in the log.
#[derive(Debug)]
pub(super) struct LogVisit {
    kind: UrlKind,
    admitted: Option<QueuedUrl>,
    done: Option<DoneEntry>,
}

impl LogSearch {
    /// Reads the log once.
    pub(super) fn run(directory: &CrawlDirectory, url: &CanonicalUrl) -> Result<LogSearch, Error> {
        let mut search = LogSearch::default();
        let robots = url.sibling("/robots.txt");
        let robots = robots.as_ref().map_or("", |robots| robots.as_str());
        for_each_entry(&directory.state(), None, |entry| match entry {
            Entry::Admitted(queued) => search.note_admitted(*queued, url),
            Entry::Done(done) => search.note_done(*done, url, robots),
            Entry::Rows(position) => search.rows = position,
            Entry::Begin { .. }
            | Entry::Run(_)
            | Entry::Stop(_)
            | Entry::Archive(_)
            | Entry::Published(_) => {}
        })?;
        Ok(search)
    }

    /// URLs of the crawl that wait.
    pub(super) fn queued(&self) -> u64 {
        self.all.admitted.saturating_sub(self.all.done)
    }

    /// URLs of its host that wait.
    pub(super) fn host_queued(&self) -> u64 {
        self.of_host.admitted.saturating_sub(self.of_host.done)
    }

    fn note_admitted(&mut self, queued: QueuedUrl, url: &CanonicalUrl) {
        self.all.admitted += 1;
        self.of_host.admitted += u64::from(queued.url.host() == url.host());
        let is_variant = queued.kind == UrlKind::Page
            && url.query().is_some()
            && queued.url.query().is_some()
            && without_query(&queued.url) == without_query(url);
        self.variants += u32::from(is_variant);
        if queued.url == *url {
            let kind = queued.kind;
            self.visit(kind).admitted = Some(queued);
        }
    }

    fn note_done(&mut self, done: DoneEntry, url: &CanonicalUrl, robots: &str) {
        let is_host = done.host() == url.host();
        if !is_unqueued(done.kind, done.outcome) {
            self.all.done += 1;
            self.of_host.done += u64::from(is_host);
        }
        if !is_host {
            return;
        }
        self.tally.add(&done);
        if done.kind == UrlKind::Robots && done.url == robots {
            self.robots = Some(done.clone());
        }
        if done.url == url.as_str() {
            let kind = done.kind;
            self.visit(kind).done = Some(done);
        }
    }

    fn visit(&mut self, kind: UrlKind) -> &mut LogVisit {
        let unknown = LogVisit {
            kind,
            admitted: None,
            done: None,
        };
        self.visits.entry(rank(kind)).or_insert(unknown)
    }
}

fn without_query(url: &CanonicalUrl) -> &str {
    url.as_str().split('?').next().unwrap_or_default()
}

impl LogVisit {
    pub(super) fn facts(&self, rows: &RowSearch) -> VisitFacts {
        let admitted = self.admitted.as_ref();
        let row = rows.found.iter().find(|row| row.kind == self.kind.as_str());
        let referrer = admitted.and_then(|queued| queued.referrer.as_deref());
        let hops = self.done.as_ref().map_or(0, |done| done.hops);
        VisitFacts {
            kind: self.kind.as_str(),
            admitted_at: admitted.map(|queued| rfc3339(queued.admitted_at)),
            referrer: referrer.map(str::to_owned),
            hops: admitted.map_or(hops, |queued| queued.hops),
            done: self.done.as_ref().map(|done| DoneVisit {
                outcome: done.outcome.as_str(),
                meaning: done.outcome.meaning(),
                status: (done.status > 0).then_some(done.status),
                finished_at: rfc3339(done.finished_at),
                fetch_millis: done.fetch_millis,
                row: row.map(|row| row.place.clone()),
                error: row.and_then(|row| row.error.clone()),
                title: row.and_then(|row| row.title.clone()),
                redirect_target: row.and_then(|row| row.redirect_target.clone()),
                duplicate_of: row.and_then(|row| row.duplicate_of.clone()),
            }),
        }
    }
}

/// The rows of a URL and of its host's robots.txt.
#[derive(Debug, Default)]
pub(super) struct RowSearch {
    pub(super) found: Vec<FoundRow>,
    pub(super) robots: Option<FoundRow>,
}

/// What is told of a row.
#[derive(Debug)]
pub(super) struct FoundRow {
    pub(super) kind: String,
    pub(super) place: RowPlace,
    pub(super) error: Option<String>,
    title: Option<String>,
    redirect_target: Option<String>,
    duplicate_of: Option<String>,
}

#[derive(Deserialize)]
struct RowHead {
    url: String,
    kind: String,
    error: Option<String>,
    title: Option<String>,
    redirect_target: Option<String>,
    duplicate_of: Option<String>,
}

impl RowSearch {
    /// Reads the rows until all are found that the log knows of.
    pub(super) fn run(
        directory: &CrawlDirectory,
        url: &CanonicalUrl,
        log: &LogSearch,
    ) -> Result<RowSearch, Error> {
        let mut search = RowSearch::default();
        let robots = log.robots.as_ref().map(|done| done.url.as_str());
        let wanted = log
            .visits
            .values()
            .filter(|visit| visit.done.is_some())
            .count();
        let own = quoted_needle(url.as_str())?;
        let of_robots = robots.map(quoted_needle).transpose()?;
        let mut rows = CommittedRows::up_to(directory.row_parts()?, log.rows);
        let mut row = Vec::new();
        let is_whole = |search: &RowSearch| {
            search.found.len() >= wanted && search.robots.is_some() == robots.is_some()
        };
        while !is_whole(&search) && rows.next_into(&mut row)? {
            // Most rows are about something else: that is seen without reading them as JSON.
            let is_about =
                own.is_match(&row) || of_robots.as_ref().is_some_and(|r| r.is_match(&row));
            let Some(place) = rows.place().filter(|_| is_about) else {
                continue;
            };
            let head: RowHead = parse_row(&row, &place)?;
            let (is_own, is_robots) = (
                head.url == url.as_str(),
                head.kind == UrlKind::Robots.as_str() && Some(head.url.as_str()) == robots,
            );
            let found = |head: &RowHead| FoundRow {
                kind: head.kind.clone(),
                place: place.clone(),
                error: head.error.clone(),
                title: head.title.clone(),
                redirect_target: head.redirect_target.clone(),
                duplicate_of: head.duplicate_of.clone(),
            };
            if is_own {
                search.found.push(found(&head));
            }
            if is_robots {
                search.robots = Some(found(&head));
            }
        }
        Ok(search)
    }
}

/// Finds a URL as it stands in a row, in quotes and escaped.
pub(super) fn quoted_needle(url: &str) -> Result<Regex, Error> {
    let bug = |why: String| Error::new(ErrorKind::Bug, format!("cannot look for {url}: {why}"));
    let quoted = serde_json::to_string(url).map_err(|error| bug(error.to_string()))?;
    Regex::new(&regex::escape(&quoted)).map_err(|error| bug(error.to_string()))
}

/// Reads what is wanted of a row.
pub(super) fn parse_row<'a, T: Deserialize<'a>>(
    row: &'a [u8],
    place: &RowPlace,
) -> Result<T, Error> {
    serde_json::from_slice(row).map_err(|error| {
        let (file, line) = (place.file.display(), place.line);
        Error::new(
            ErrorKind::Corrupt,
            format!("{file}, line {line}: this is no row: {error}"),
        )
    })
}
