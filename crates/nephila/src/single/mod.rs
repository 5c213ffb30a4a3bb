//! One URL that a person asked for, outside of any crawl: fetched and looked at, held against its
//! robots.txt, read as a sitemap.
//!
//! These functions block: each runs a runtime of its own until it has its answer, so they must not
//! be called from asynchronous code. That nothing could be fetched is no [`Error`]: it stands in
//! what they return. Nothing is kept on the disk.
//!
//! The URL may be written as a seed is (`example.com`, `localhost:8000/x`) and, like a seed, allows
//! a private address that it names itself. It is asked for as it is written, without its fragment
//! and its credentials, whatever `query` and `query-drop` say, and without asking robots.txt: a
//! person asks once for what he names.

mod page;
mod page_report;
mod page_row;
mod robots;
mod robots_group;
mod sitemap;
mod sitemap_queue;
mod sitemap_read;

use std::future::Future;
use std::sync::Arc;

use nephila_fetch::{Fetcher, Shared};
use nephila_frontier::{CanonicalUrl, QueryPolicy};
use url::Url;

pub use page::fetch_page;
pub use page_report::{Answer, FoundLink, FoundPage, PageReport, PageTimes};
pub use robots::{DecidingRule, RobotsMeaning, RobotsReport, check_robots};
pub use robots_group::RobotsGroup;
pub use sitemap::read_sitemap;
pub use sitemap_queue::MOST_SITEMAPS;
pub use sitemap_read::{SitemapItem, SitemapRead, SitemapResult, SitemapTotals};

use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::options::{CrawlConfig, Settings};
use crate::seeds::{Seed, parse_seeds};
use crate::setup;

/// What asks for the URL of a person.
struct Client {
    config: CrawlConfig,
    /// The URL, as the one seed of this.
    seeds: Vec<Seed>,
    url: CanonicalUrl,
    fetcher: Fetcher,
    clock: Clock,
}

impl Client {
    /// # Errors
    /// [`ErrorKind::Usage`] for settings that do not check and a text that is no URL;
    /// [`ErrorKind::Network`] for a proxy or a certificate file that cannot be used.
    fn new(written: &str, settings: &Settings) -> Result<Client, Error> {
        let config = settings.check()?;
        let as_written = CrawlConfig {
            query: QueryPolicy::Keep,
            query_drop: Vec::new(),
            ..config.clone()
        };
        let seeds = parse_seeds(&[written.to_owned()], &as_written)?;
        let url = seeds.first().map(|seed| seed.url.clone());
        let url =
            url.ok_or_else(|| Error::new(ErrorKind::Bug, "a seed was read and is missing"))?;
        let clock = Clock::start();
        let shared = Shared::new(setup::fetch_config(&config, &seeds)?, clock.for_fetch())?;
        let fetcher = Fetcher::new(Arc::new(shared));
        Ok(Client {
            config,
            seeds,
            url,
            fetcher,
            clock,
        })
    }
}

/// A canonical URL, parsed.
fn parsed(url: &CanonicalUrl) -> Result<Url, Error> {
    url.to_url()
        .map_err(|why| Error::new(ErrorKind::Bug, format!("{url}: {why}")))
}

/// The robots.txt of the host of `url`.
fn robots_of(url: &CanonicalUrl) -> Result<CanonicalUrl, Error> {
    let robots = url.sibling("/robots.txt");
    robots.ok_or_else(|| Error::new(ErrorKind::Bug, format!("{url} has no host")))
}

/// Runs `work` to its end on this thread, with what a fetcher needs around it.
fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime
        .map_err(|error| Error::new(ErrorKind::Io, format!("cannot start a runtime: {error}")))?;
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_asked_for_as_it_is_written() {
        let settings = Settings::new().with("query", "drop").unwrap();
        let client = Client::new("http://a.test/x?b=1&a=2#part", &settings).unwrap();
        assert_eq!(client.url.as_str(), "http://a.test/x?b=1&a=2");
        assert_eq!(
            robots_of(&client.url).unwrap().as_str(),
            "http://a.test/robots.txt"
        );
        assert_eq!(
            client.config.query,
            QueryPolicy::Drop,
            "links are still made canonical by it"
        );
    }

    #[test]
    fn what_is_no_url_is_a_usage_error() {
        for text in ["", "no url", "ftp://a.test/"] {
            let error = Client::new(text, &Settings::new()).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Usage, "{text}: {error}");
        }
    }
}
