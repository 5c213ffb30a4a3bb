//! Why: what became of one URL, or which rule keeps it out.
//!
//! Answered from the configuration, the commit log and the rows, in this order; each is read once
//! from its beginning, and nothing is kept but what is about this URL.

mod barren;
mod links;
mod search;

use std::time::Duration;

use nephila_frontier::{CanonicalUrl, Moment, Outcome, Scope, UrlKind};
use nephila_store::DirectoryLock;
use serde::Serialize;

use crate::clock::rfc3339;
use crate::committed_rows::RowPlace;
use crate::directory::CrawlDirectory;
use crate::error::{Error, ErrorKind};
use crate::options::CrawlConfig;
use crate::row::millis;
use crate::seeds::{Seed, parse_seeds, with_scheme};
use crate::setup;
use crate::tally::HostTally;
use barren::barren_shape;
use links::{LinkSearch, find_links};
use search::{LogSearch, RowSearch};

pub use links::LinkTo;

/// Where a URL stands in a crawl.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It has its outcome.
    Done,
    /// It was admitted and has no outcome; in a running crawl it may be in flight.
    Queued,
    /// A rule keeps it out.
    Refused,
    /// No page visited so far links to it.
    NeverMet,
}

/// What is known of one URL in a crawl.
#[derive(Clone, Debug, Serialize)]
pub struct Why {
    /// The canonical URL that was looked for.
    pub url: String,
    /// Where it stands.
    pub standing: Standing,
    /// The same in words, with the reason.
    pub explanation: String,
    /// The option whose rule keeps it out, where one does.
    pub refused_by: Option<&'static str>,
    /// What the crawl did with it: as a page, and as anything else that it was asked for as.
    pub visits: Vec<VisitFacts>,
    /// The first pages that link to it, where it was not admitted.
    pub links: Vec<LinkTo>,
    /// How many links there are.
    pub links_found: u64,
    /// Its host.
    pub host: HostFacts,
    /// Whether a process is at work on the crawl.
    pub is_running: bool,
    /// That process, where it is known.
    pub process: Option<u32>,
}

/// A URL on its way through the crawl.
#[derive(Clone, Debug, Serialize)]
pub struct VisitFacts {
    /// What it was asked for as: `page`, `robots`, `sitemap` or `feed`.
    pub kind: &'static str,
    /// When it was admitted, RFC 3339 in UTC; never where it was recorded without a queue.
    pub admitted_at: Option<String>,
    /// The page that linked to it first.
    pub referrer: Option<String>,
    /// Link distance from a seed.
    pub hops: u16,
    /// Its outcome, where it has one.
    pub done: Option<DoneVisit>,
}

/// What became of it.
#[derive(Clone, Debug, Serialize)]
pub struct DoneVisit {
    /// The outcome's stable name.
    pub outcome: &'static str,
    /// What the outcome means.
    pub meaning: &'static str,
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// When it was finished, RFC 3339 in UTC.
    pub finished_at: String,
    /// Time of the fetch in milliseconds.
    pub fetch_millis: u32,
    /// Where its row stands.
    pub row: Option<RowPlace>,
    /// What the row says of it.
    pub error: Option<String>,
    /// The title of the page.
    pub title: Option<String>,
    /// Where a redirect points.
    pub redirect_target: Option<String>,
    /// The page that had its content first, so that its links were not followed.
    pub duplicate_of: Option<String>,
}

/// The host of a URL.
#[derive(Clone, Debug, Serialize)]
pub struct HostFacts {
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
    /// When it may next be fetched, as far as the log knows, RFC 3339 in UTC; `None` for now.
    pub next_at: Option<String>,
    /// Seconds until then; 0 is now.
    pub next_in_seconds: f64,
    /// Its robots.txt, where it was fetched.
    pub robots: Option<RobotsFacts>,
    /// Whether robots.txt is not asked for at all.
    pub ignores_robots: bool,
}

/// A host's robots.txt.
#[derive(Clone, Debug, Serialize)]
pub struct RobotsFacts {
    /// Its URL.
    pub url: String,
    /// The outcome of its fetch.
    pub outcome: &'static str,
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// Where its row stands.
    pub row: Option<RowPlace>,
    /// What went wrong.
    pub error: Option<String>,
}

impl Why {
    /// Looks for a URL, written as a seed is, in a crawl; also while the crawl runs. `now` is the
    /// time.
    ///
    /// Without a scheme it has that of the seed on the same host. Memory: one row, and what is
    /// found.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for what is no URL; [`ErrorKind::NotACrawl`],
    /// [`ErrorKind::Corrupt`], and whatever the file system has against it.
    pub fn ask(directory: &CrawlDirectory, url: &str, now: Moment) -> Result<Why, Error> {
        let (texts, settings) = directory.read_config()?;
        let config = settings.check()?;
        let seeds = parse_seeds(&texts, &config)?;
        let url = canonical(url, &config, &seeds)?;
        let holder = DirectoryLock::holder(&directory.state())?;
        let log = LogSearch::run(directory, &url)?;
        let rows = RowSearch::run(directory, &url, &log)?;
        let rules = setup::follow_rules(&config, &seeds)?;
        let mut why = Why {
            url: url.as_str().to_owned(),
            standing: Standing::Queued,
            explanation: String::new(),
            refused_by: None,
            visits: log
                .visits
                .values()
                .map(|visit| visit.facts(&rows))
                .collect(),
            links: Vec::new(),
            links_found: 0,
            host: host_facts(&url, &config, &log, &rows, now),
            is_running: holder.is_some(),
            process: holder.and_then(|holder| holder.process),
        };
        if why.visits.is_empty() {
            let search = LinkSearch {
                url: &url,
                rules: &rules,
                config: &config,
            };
            let found = find_links(directory, log.rows, &search)?;
            (why.links, why.links_found) = (found.first, found.count);
            let barren = match why.links_found {
                0 => None,
                _ => barren_shape(directory, log.rows, &url, &config)?,
            };
            let refusal = rule_against(&url, &rules.scope, &config, &log, now).or_else(|| {
                barren.map(|refusal| (refusal.option(), format!("refused: {refusal}")))
            });
            why.explain_absence(refusal, &config, &log);
        } else {
            why.explain_presence();
        }
        Ok(why)
    }

    fn explain_presence(&mut self) {
        let Some(first) = self.visits.first() else {
            return;
        };
        let as_kind = match first.kind {
            "page" => "",
            "robots" => ", as a robots.txt and not as a page",
            "sitemap" => ", as a sitemap and not as a page",
            _ => ", as a feed and not as a page",
        };
        (self.standing, self.explanation) = match &first.done {
            Some(done) => {
                let status = done.status.unwrap_or_default();
                let answered = match status {
                    0 => String::new(),
                    status => format!(", status {status}"),
                };
                let why = match &done.error {
                    Some(error) => error.clone(),
                    None if done.outcome == Outcome::HttpError.as_str() => {
                        format!("the server answered with status {status}")
                    }
                    None => done.meaning.to_owned(),
                };
                let followed = match &done.duplicate_of {
                    Some(first) => format!(
                        "; its links were not followed: it duplicates {first} (--skip-duplicates)"
                    ),
                    None => String::new(),
                };
                (
                    Standing::Done,
                    format!("{}{answered}{as_kind}: {why}{followed}", done.outcome),
                )
            }
            None if self.is_running => {
                let text = format!("queued or in flight{as_kind}; the crawl runs");
                (Standing::Queued, text)
            }
            None => (
                Standing::Queued,
                format!("queued{as_kind}; no process is at work on the crawl"),
            ),
        };
    }

    /// Nothing was admitted: which rule keeps it out, or that nothing links to it.
    fn explain_absence(
        &mut self,
        refusal: Option<(&'static str, String)>,
        config: &CrawlConfig,
        log: &LogSearch,
    ) {
        let refusal = refusal.or_else(|| self.held_links());
        if let Some((option, text)) = refusal {
            self.standing = Standing::Refused;
            self.refused_by = Some(option);
            self.explanation = text;
            return;
        }
        self.standing = Standing::NeverMet;
        let within = config.max_hops.map_or_else(String::new, |hops| {
            format!(" and is within --max-hops {hops}")
        });
        let more = match log.queued() {
            0 => String::new(),
            queued => format!("; {queued} URLs are still queued, and a page among them may"),
        };
        self.explanation = if self.links_found > 0 {
            format!(
                "{} links point to it, and no rule is known that keeps it out",
                self.links_found
            )
        } else {
            format!("never met: no page visited so far links to it{within}{more}")
        };
    }

    /// Why every link to it was held back; `None` when one was not, or there is none.
    fn held_links(&self) -> Option<(&'static str, String)> {
        let first = self.links.first()?;
        let option = first.held_by?;
        if self.links.iter().any(|link| link.held_by.is_none()) {
            return None;
        }
        let none = match self.links_found {
            1 => "the only link to it does not lead on".to_owned(),
            count => format!("none of the {count} links to it leads on"),
        };
        let why = first.reason.as_deref().unwrap_or_default();
        Some((option, format!("{none}: {why} (--{option})")))
    }
}

/// The rule that refuses it wherever it is linked.
fn rule_against(
    url: &CanonicalUrl,
    scope: &Scope,
    config: &CrawlConfig,
    log: &LogSearch,
    now: Moment,
) -> Option<(&'static str, String)> {
    let checked = scope.check(url, 0);
    if let Err(refusal) = checked.and_then(|()| scope.check_date(url, now)) {
        return Some((refusal.option(), format!("refused: {refusal}")));
    }
    if config.max_hops == Some(0) {
        let text = "refused: no seed, and --max-hops 0 takes the seeds only".to_owned();
        return Some(("max-hops", text));
    }
    let most = config.max_query_variants;
    if most > 0 && log.variants >= most {
        let text = format!(
            "refused: {} URLs of its path that differ only in their query were admitted, and \
             --max-query-variants is {most}",
            log.variants
        );
        return Some(("max-query-variants", text));
    }
    None
}

/// What a person typed, as the crawl writes it.
fn canonical(text: &str, config: &CrawlConfig, seeds: &[Seed]) -> Result<CanonicalUrl, Error> {
    let policy = setup::canonical_policy(config);
    let text = text.trim();
    let of_seed = |scheme: &&str| {
        let url = CanonicalUrl::parse(&format!("{scheme}://{text}"), &policy).ok()?;
        let is_seeds = |seed: &Seed| seed.url.host() == url.host() && seed.url.scheme() == *scheme;
        seeds.iter().any(is_seeds).then_some(url)
    };
    if !text.contains("://")
        && let Some(url) = nephila_frontier::SCHEMES.iter().find_map(of_seed)
    {
        return Ok(url);
    }
    CanonicalUrl::parse(&with_scheme(text), &policy).map_err(|why| {
        let shown = text.escape_debug();
        let what = format!("\"{shown}\" is no URL that can be crawled: {why}");
        Error::new(
            ErrorKind::Usage,
            format!("{what}; write it like https://example.com/"),
        )
    })
}

fn host_facts(
    url: &CanonicalUrl,
    config: &CrawlConfig,
    log: &LogSearch,
    rows: &RowSearch,
    now: Moment,
) -> HostFacts {
    let nothing = HostTally::default();
    let tally = log.tally.host(url.host()).unwrap_or(&nothing);
    let wait = tally.next_at.since(now);
    HostFacts {
        host: url.host().to_owned(),
        pages: tally.pages,
        errors: tally.errors,
        mean_millis: millis(tally.mean_fetch()),
        queued: log.host_queued(),
        next_at: (wait > Duration::ZERO).then(|| rfc3339(tally.next_at)),
        next_in_seconds: wait.as_millis() as f64 / 1_000.0,
        robots: log.robots.as_ref().map(|done| RobotsFacts {
            url: done.url.clone(),
            outcome: done.outcome.as_str(),
            status: (done.status > 0).then_some(done.status),
            row: rows.robots.as_ref().map(|row| row.place.clone()),
            error: rows.robots.as_ref().and_then(|row| row.error.clone()),
        }),
        ignores_robots: config.ignore_robots,
    }
}

/// The kinds in the order in which they are told.
fn rank(kind: UrlKind) -> u8 {
    match kind {
        UrlKind::Page => 0,
        UrlKind::Sitemap => 1,
        UrlKind::Feed => 2,
        UrlKind::Robots => 3,
    }
}

/// Whether it was recorded without having been queued.
pub(crate) fn is_unqueued(kind: UrlKind, outcome: Outcome) -> bool {
    kind == UrlKind::Robots || outcome == Outcome::OutOfScope
}

#[cfg(test)]
mod tests;
