//! A report on a crawl for people who check their own site: broken links, redirects, duplicates, what
//! is slow and what is large. As data here, as one HTML page by [`Report::to_html`].
//!
//! Everything is read from the committed rows, twice: once for the pages, once for the links to those
//! that are broken. Every list has a bound and says how many more there are.

mod duplicate_groups;
mod escape;
mod html;
mod ranking;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use nephila_frontier::{Moment, Outcome, UrlKind};
use serde::Deserialize;

use crate::clock::rfc3339;
use crate::committed_rows::CommittedRows;
use crate::directory::CrawlDirectory;
use crate::error::{Error, ErrorKind};
use duplicate_groups::DuplicateGroups;
use ranking::Ranking;

/// Broken pages that are told with the pages that link to them.
const MOST_BROKEN: usize = 500;
/// Linking pages that are told of each.
const MOST_LINKING: usize = 5;
/// Redirects that are told.
const MOST_REDIRECTS: usize = 200;
/// Pages in the lists of the slowest and of the largest.
const MOST_RANKED: usize = 25;

/// What a crawl found on a site.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The seeds, as given.
    pub seeds: Vec<String>,
    /// When it was made, RFC 3339 in UTC.
    pub made_at: String,
    /// Pages with an outcome.
    pub pages: u64,
    /// Pages by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Pages by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Pages that gave an error status or no answer, in the order of the rows; 500 at most.
    pub broken: Vec<BrokenPage>,
    /// How many there are.
    pub broken_count: u64,
    /// Redirects, in the order of the rows; 200 at most.
    pub redirects: Vec<(String, String)>,
    /// How many there are.
    pub redirect_count: u64,
    /// The 25 pages that took longest, in milliseconds without their queueing.
    pub slowest: Vec<(u64, String)>,
    /// The 25 largest pages, in bytes after decompression.
    pub largest: Vec<(u64, String)>,
    /// Pages with the very same body, the largest groups first; 50 groups at most.
    pub duplicates: Vec<DuplicateGroup>,
    /// How many groups there are.
    pub duplicate_count: u64,
}

/// A page that cannot be had.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BrokenPage {
    /// Its URL.
    pub url: String,
    /// The outcome's stable name.
    pub outcome: String,
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// What went wrong, in words.
    pub error: Option<String>,
    /// The first five pages that link to it, with the link's text.
    pub linked_from: Vec<(String, String)>,
    /// How many links there are.
    pub links: u64,
}

/// Pages with the very same body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DuplicateGroup {
    /// How many pages.
    pub count: u64,
    /// Bytes of the body.
    pub bytes: u64,
    /// The first ten of them.
    pub urls: Vec<String>,
}

/// What is needed of a row.
#[derive(Deserialize)]
struct PageRow {
    url: String,
    kind: String,
    outcome: String,
    status: Option<u16>,
    error: Option<String>,
    redirect_target: Option<String>,
    body_bytes: u64,
    digest: Option<String>,
    times: Spent,
}

/// Milliseconds of a fetch.
#[derive(Deserialize)]
struct Spent {
    dns: f64,
    connect: f64,
    tls: f64,
    first_byte: f64,
    body: f64,
}

/// The links of a row.
#[derive(Deserialize)]
struct LinkingRow {
    url: String,
    outlinks: Vec<LinkHead>,
}

#[derive(Deserialize)]
struct LinkHead {
    url: String,
    text: String,
}

impl Report {
    /// Reads the report of a crawl, also while the crawl runs. `now` is the time.
    ///
    /// Memory: the lists, and 30 bytes for each of 200,000 bodies.
    ///
    /// # Errors
    /// [`ErrorKind::NotACrawl`], [`ErrorKind::Corrupt`], and whatever the file system has against
    /// it.
    pub fn read(directory: &CrawlDirectory, now: Moment) -> Result<Report, Error> {
        let (seeds, _) = directory.read_config()?;
        let mut report = Report {
            seeds,
            made_at: rfc3339(now),
            ..Report::default()
        };
        report.read_pages(directory)?;
        report.read_links(directory)?;
        Ok(report)
    }

    fn read_pages(&mut self, directory: &CrawlDirectory) -> Result<(), Error> {
        let mut slowest = Ranking::new(MOST_RANKED);
        let mut largest = Ranking::new(MOST_RANKED);
        let mut groups = DuplicateGroups::default();
        for_each_row(directory, |row: PageRow| {
            if row.kind != UrlKind::Page.as_str() {
                return;
            }
            slowest.offer(row.times.total(), &row.url);
            largest.offer(row.body_bytes, &row.url);
            if let Some(digest) = &row.digest
                && row.outcome == Outcome::Fetched.as_str()
                && row.body_bytes > 0
            {
                groups.note(digest, row.body_bytes, &row.url);
            }
            self.note_page(row);
        })?;
        self.slowest = slowest.into_list();
        self.largest = largest.into_list();
        (self.duplicates, self.duplicate_count) = groups.into_list();
        Ok(())
    }

    fn note_page(&mut self, row: PageRow) {
        self.pages += 1;
        if let Some(status) = row.status {
            *self.statuses.entry(status).or_default() += 1;
        }
        if let Some(target) = &row.redirect_target {
            self.redirect_count += 1;
            if self.redirects.len() < MOST_REDIRECTS {
                self.redirects.push((row.url.clone(), target.clone()));
            }
        }
        if Outcome::from_name(&row.outcome).is_some_and(is_broken) {
            self.broken_count += 1;
            if self.broken.len() < MOST_BROKEN {
                self.broken.push(BrokenPage {
                    url: row.url,
                    outcome: row.outcome.clone(),
                    status: row.status,
                    error: row.error,
                    ..BrokenPage::default()
                });
            }
        }
        *self.outcomes.entry(row.outcome).or_default() += 1;
    }

    /// Finds the links to what is broken.
    fn read_links(&mut self, directory: &CrawlDirectory) -> Result<(), Error> {
        if self.broken.is_empty() {
            return Ok(());
        }
        let urls = self.broken.iter().enumerate();
        let places: HashMap<String, usize> = urls
            .map(|(place, page)| (page.url.clone(), place))
            .collect();
        for_each_row(directory, |row: LinkingRow| {
            for link in row.outlinks {
                let place = places.get(&link.url).copied();
                let Some(page) = place.and_then(|place| self.broken.get_mut(place)) else {
                    continue;
                };
                page.links += 1;
                let is_told = page
                    .linked_from
                    .last()
                    .is_some_and(|(from, _)| *from == row.url);
                if page.linked_from.len() < MOST_LINKING && !is_told {
                    page.linked_from.push((row.url.clone(), link.text));
                }
            }
        })
    }
}

impl Spent {
    fn total(&self) -> u64 {
        (self.dns + self.connect + self.tls + self.first_byte + self.body).round() as u64
    }
}

/// Whether a reader who clicks a link to it is disappointed.
fn is_broken(outcome: Outcome) -> bool {
    !outcome.is_answer() && !is_kept_out(outcome) && outcome != Outcome::Fetched
        || matches!(outcome, Outcome::HttpError | Outcome::TooManyRedirects)
}

/// Whether a rule kept the crawler out, which tells nothing of the page.
fn is_kept_out(outcome: Outcome) -> bool {
    use Outcome::{BlockedAddress, OutOfScope, RobotsDenied, RobotsUnavailable, TooLarge, Trapped};
    let rules = [
        RobotsDenied,
        RobotsUnavailable,
        OutOfScope,
        BlockedAddress,
        TooLarge,
        Trapped,
    ];
    rules.contains(&outcome)
}

fn for_each_row<T: for<'a> Deserialize<'a>>(
    directory: &CrawlDirectory,
    mut take: impl FnMut(T),
) -> Result<(), Error> {
    let mut rows = CommittedRows::open(directory)?;
    let mut line = Vec::new();
    while rows.next_into(&mut line)? {
        let row = serde_json::from_slice(&line).map_err(|error| {
            Error::new(
                ErrorKind::Corrupt,
                format!("a row that cannot be read: {error}"),
            )
        })?;
        take(row);
    }
    Ok(())
}
