//! What the rows tell page by page.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memmem;
use nephila_frontier::{Outcome, UrlKind};
use nephila_store::PartPosition;
use serde::Deserialize;

use super::RowBound;
use super::duplicate_groups::DuplicateGroups;
use super::ranking::Ranking;
use crate::committed_rows::CommittedRows;
use crate::error::{Error, ErrorKind};
use crate::row_parts::RowParts;

/// Broken pages that are told with the pages that link to them.
const MOST_BROKEN: usize = 500;
/// Linking pages that are told of each.
const MOST_LINKING: usize = 5;
/// Redirects that are told.
const MOST_REDIRECTS: usize = 200;
/// Pages in the lists of the slowest and of the largest.
const MOST_RANKED: usize = 25;

/// What stands in the rows of a crawl, or in the first of them.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Rows that were read.
    pub rows: u64,
    /// Whether there are more.
    pub is_cut: bool,
    /// Pages among them.
    pub pages: u64,
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
struct LinkingRow<'a> {
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(borrow)]
    outlinks: Vec<LinkHead<'a>>,
}

#[derive(Deserialize)]
struct LinkHead<'a> {
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

impl Findings {
    /// Reads the rows before `end` as far as the bound lets, once for the pages and once more for the links
    /// to those that are broken.
    pub(super) fn read(
        parts: &RowParts,
        end: PartPosition,
        bound: RowBound,
    ) -> Result<Findings, Error> {
        let mut findings = Findings::default();
        let rows = || CommittedRows::up_to(parts.clone(), end);
        findings.read_pages(rows(), bound)?;
        findings.read_links(rows(), bound)?;
        Ok(findings)
    }

    fn read_pages(&mut self, rows: CommittedRows, bound: RowBound) -> Result<(), Error> {
        let mut slowest = Ranking::new(MOST_RANKED);
        let mut largest = Ranking::new(MOST_RANKED);
        let mut groups = DuplicateGroups::default();
        let mut head = Vec::new();
        (self.rows, self.is_cut) = for_each_row(rows, bound, |line| {
            let row: PageRow = parsed(without_outlinks(line, &mut head))?;
            if row.kind != UrlKind::Page.as_str() {
                return Ok(());
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
            Ok(())
        })?;
        self.slowest = slowest.into_list();
        self.largest = largest.into_list();
        (self.duplicates, self.duplicate_count) = groups.into_list();
        Ok(())
    }

    fn note_page(&mut self, row: PageRow) {
        self.pages += 1;
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
                    outcome: row.outcome,
                    status: row.status,
                    error: row.error,
                    ..BrokenPage::default()
                });
            }
        }
    }

    /// Finds the links to what is broken.
    fn read_links(&mut self, rows: CommittedRows, bound: RowBound) -> Result<(), Error> {
        if self.broken.is_empty() {
            return Ok(());
        }
        let urls = self.broken.iter().enumerate();
        let places: HashMap<String, usize> = urls
            .map(|(place, page)| (page.url.clone(), place))
            .collect();
        for_each_row(rows, bound, |line| {
            let row: LinkingRow<'_> = parsed(line)?;
            for link in row.outlinks {
                let place = places.get(&*link.url).copied();
                let Some(page) = place.and_then(|place| self.broken.get_mut(place)) else {
                    continue;
                };
                page.links += 1;
                let is_told = page
                    .linked_from
                    .last()
                    .is_some_and(|(from, _)| *from == row.url);
                if page.linked_from.len() < MOST_LINKING && !is_told {
                    let text = link.text.into_owned();
                    page.linked_from.push((row.url.clone().into_owned(), text));
                }
            }
            Ok(())
        })?;
        Ok(())
    }
}

impl Spent {
    fn total(&self) -> u64 {
        (self.dns + self.connect + self.tls + self.first_byte + self.body).round() as u64
    }
}

/// Whether a reader who clicks a link to it is disappointed.
pub(crate) fn is_broken(outcome: Outcome) -> bool {
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

/// Gives each row; returns how many, and whether there are more than the bound lets.
fn for_each_row(
    mut rows: CommittedRows,
    bound: RowBound,
    mut take: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(u64, bool), Error> {
    let mut line = Vec::new();
    let (mut count, mut bytes) = (0, 0);
    while rows.next_into(&mut line)? {
        if count >= bound.rows || bytes >= bound.bytes {
            return Ok((count, true));
        }
        count += 1;
        bytes += line.len() as u64;
        take(&line)?;
    }
    Ok((count, false))
}

/// The row without its links, which are most of its bytes: a parser would look at each of them.
///
/// No string has these marks in it, because a quotation mark in a string has a backslash before it.
fn without_outlinks<'a>(line: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
    const BEGIN: &[u8] = b",\"outlinks\":[";
    const END: &[u8] = b"],\"warnings\":[";
    let begin = memmem::find(line, BEGIN);
    let Some((before, rest)) = begin.and_then(|begin| line.split_at_checked(begin)) else {
        return line;
    };
    let end = memmem::find(rest, END);
    let Some(behind) = end.and_then(|end| rest.get(end + 1..)) else {
        return line;
    };
    scratch.clear();
    scratch.extend_from_slice(before);
    scratch.extend_from_slice(behind);
    scratch
}

fn parsed<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(line).map_err(|error| {
        let message = format!("a row that cannot be read: {error}");
        Error::new(ErrorKind::Corrupt, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_cut_out_of_a_row_and_marks_in_texts_are_not_theirs() {
        let title = serde_json::to_string(r#"x","outlinks":[{}],"warnings":["#).unwrap();
        let link = serde_json::to_string(r#"],"warnings":["#).unwrap();
        let line = format!(
            r#"{{"title":{title},"outlinks":[{{"url":"u","text":{link}}}],"warnings":["w"],"hops":1}}"#
        );
        let expected = format!(r#"{{"title":{title},"warnings":["w"],"hops":1}}"#);
        let mut scratch = Vec::new();
        let short = without_outlinks(line.as_bytes(), &mut scratch);
        assert_eq!(std::str::from_utf8(short).unwrap(), expected);
        assert_eq!(without_outlinks(b"{}", &mut Vec::new()), b"{}");
    }
}
