//! The entries of a sitemap, and of the sitemaps that an index or a site names.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use http::header::{CONTENT_ENCODING, LOCATION};
use nephila_fetch::{Fetch, Request, Response, decode_body, is_public};
use nephila_frontier::{CanonicalUrl, Politeness};
use nephila_parse::{Sitemap, SitemapKind, parse_sitemap};
use nephila_robots::Robots;

use super::sitemap_queue::{NamedSitemap, SitemapQueue};
use super::sitemap_read::{SitemapRead, SitemapResult, SitemapTotals};
use super::{Client, block_on, parsed, robots_of};
use crate::answer_headers::header;
use crate::error::Error;
use crate::options::Settings;
use crate::robots_visit::{RobotsReply, fetch_robots, robots_body};
use crate::setup;

/// Reads the sitemap at `url`, as a person wrote it, and hands over each one as it comes; so memory
/// is that of one sitemap. Blocks.
///
/// A URL set, an index, a feed or plain text, as it is or as gzip, over redirects. A site's root,
/// and a page that is no sitemap, stand for the sitemaps of their host: those that its robots.txt
/// names, and `/sitemap.xml`. With `recurse` the sitemaps that indexes name are read too, three
/// levels and [`super::MOST_SITEMAPS`] in all, each once, with a pause between two fetches of a host
/// as the `delay` option says.
///
/// `take` ends the reading by breaking.
///
/// # Errors
/// As [`super::fetch_page`]. That a sitemap could not be had is no error: see [`SitemapResult`].
pub fn read_sitemap(
    url: &str,
    settings: &Settings,
    recurse: bool,
    take: &mut dyn FnMut(SitemapRead) -> ControlFlow<()>,
) -> Result<SitemapTotals, Error> {
    let reader = Reader {
        client: Client::new(url, settings)?,
        recurse,
        queue: SitemapQueue::default(),
        totals: SitemapTotals::default(),
        next_at: HashMap::new(),
    };
    block_on(reader.run(take))
}

struct Reader {
    client: Client,
    recurse: bool,
    queue: SitemapQueue,
    totals: SitemapTotals,
    /// When each host may be asked again, by the client's clock. Bounded by the sitemaps read.
    next_at: HashMap<String, Duration>,
}

impl Reader {
    async fn run(
        mut self,
        take: &mut dyn FnMut(SitemapRead) -> ControlFlow<()>,
    ) -> Result<SitemapTotals, Error> {
        let first = self.client.url.clone();
        if first.path_and_query() == "/" {
            self.look_around(&first).await?;
        } else {
            self.queue.push(NamedSitemap {
                url: first.clone(),
                named_by: None,
                depth: 0,
            });
        }
        while let Some(named) = self.queue.pop() {
            let read = self.read(&named).await?;
            match &read.result {
                SitemapResult::Read { entries, .. } => {
                    self.totals.read += 1;
                    self.totals.entries += entries.len() as u64;
                }
                // What the person named is a page: then the sitemaps of its site are meant.
                SitemapResult::NotASitemap if read.url == first => {
                    self.look_around(&first).await?;
                }
                _ => self.totals.failed += 1,
            }
            if take(read).is_break() {
                break;
            }
        }
        self.totals.left_out = self.queue.left_out();
        Ok(self.totals)
    }

    /// Queues the sitemaps that the host's robots.txt names, and the usual place.
    async fn look_around(&mut self, url: &CanonicalUrl) -> Result<(), Error> {
        let robots_url = robots_of(url)?;
        let max_bytes = self.client.config.max_robots_size.0;
        self.wait(&robots_url).await;
        let fetcher = &self.client.fetcher;
        let exchange =
            fetch_robots(fetcher, parsed(&robots_url)?, max_bytes, false, |_| Ok(())).await;
        let mut named = Vec::new();
        if let RobotsReply::Response(response) = &exchange.reply {
            self.note_turn(&robots_url, response.remote);
            if (200..300).contains(&response.status) {
                let (file, _) = robots_body(response, max_bytes);
                named = Robots::parse(&file).sitemaps().to_vec();
            }
        }
        let base = parsed(&robots_url)?;
        let policy = setup::canonical_policy(&self.client.config);
        for text in named {
            if let Ok(url) = CanonicalUrl::join(&base, &text, &policy) {
                let named_by = Some(robots_url.clone());
                self.queue.push(NamedSitemap {
                    url,
                    named_by,
                    depth: 0,
                });
            }
        }
        if let Some(usual) = url.sibling("/sitemap.xml") {
            self.queue.push(NamedSitemap {
                url: usual,
                named_by: None,
                depth: 0,
            });
        }
        Ok(())
    }

    /// Fetches and reads one; queues what an index names.
    async fn read(&mut self, named: &NamedSitemap) -> Result<SitemapRead, Error> {
        let mut read = SitemapRead {
            url: named.url.clone(),
            named_by: named.named_by.clone(),
            status: None,
            result: SitemapResult::NotASitemap,
        };
        let (response, url) = match self.fetch(&named.url).await? {
            Ok(answer) => answer,
            Err(why) => {
                return Ok(SitemapRead {
                    result: SitemapResult::Failed(why),
                    ..read
                });
            }
        };
        read.status = Some(response.status);
        read.result = match self.sitemap(&response) {
            Err(why) => SitemapResult::Failed(why),
            Ok(sitemap) => {
                if self.recurse && sitemap.kind == SitemapKind::Index {
                    self.queue_index(&sitemap, &url, named.depth)?;
                }
                SitemapResult::from(sitemap)
            }
        };
        Ok(read)
    }

    /// One answer, over redirects, and the URL that gave it.
    async fn fetch(
        &mut self,
        first: &CanonicalUrl,
    ) -> Result<Result<(Response, CanonicalUrl), String>, Error> {
        let policy = setup::canonical_policy(&self.client.config);
        let mut url = first.clone();
        for _ in 0..=self.client.config.max_redirects {
            let mut request = Request::get(parsed(&url)?);
            request.max_wire_bytes = Some(self.client.config.max_sitemap_size.0);
            self.wait(&url).await;
            let response = match self.client.fetcher.fetch(request).await {
                Ok(response) => response,
                Err(error) => {
                    self.note_turn(&url, error.remote());
                    return Ok(Err(at(first, &url, &error.to_string())));
                }
            };
            self.note_turn(&url, response.remote);
            let location = header(&response.headers, LOCATION);
            match (response.status, location) {
                (301 | 302 | 303 | 307 | 308, Some(location)) => {
                    match CanonicalUrl::join(&parsed(&url)?, location.trim(), &policy) {
                        Ok(target) => url = target,
                        Err(why) => {
                            let why = format!("redirect to {location:?}: {why}");
                            return Ok(Err(at(first, &url, &why)));
                        }
                    }
                }
                (200..=299, _) => return Ok(Ok((response, url))),
                (status, _) => return Ok(Err(at(first, &url, &format!("status {status}")))),
            }
        }
        Ok(Err(format!(
            "more than {} redirects in a row",
            self.client.config.max_redirects
        )))
    }

    fn sitemap(&self, response: &Response) -> Result<Sitemap, String> {
        let options = setup::analysis_options(&self.client.config);
        let coding = header(&response.headers, CONTENT_ENCODING);
        let most = options.max_sitemap_bytes;
        let body = decode_body(coding.as_deref(), response.body.clone(), most);
        let body = body.map_err(|error| error.to_string())?;
        Ok(parse_sitemap(&body, &options.sitemap))
    }

    fn queue_index(&mut self, index: &Sitemap, url: &CanonicalUrl, depth: u8) -> Result<(), Error> {
        let base = parsed(url)?;
        let policy = setup::canonical_policy(&self.client.config);
        for entry in &index.entries {
            if let Ok(child) = CanonicalUrl::join(&base, &entry.loc, &policy) {
                let named_by = Some(url.clone());
                self.queue.push(NamedSitemap {
                    url: child,
                    named_by,
                    depth: depth + 1,
                });
            }
        }
        Ok(())
    }

    /// Waits until the host of `url` may be asked again.
    async fn wait(&self, url: &CanonicalUrl) {
        let now = self.client.clock.elapsed();
        if let Some(pause) = self
            .next_at
            .get(url.host())
            .and_then(|at| at.checked_sub(now))
        {
            tokio::time::sleep(pause).await;
        }
    }

    /// Notes that the host of `url` was asked just now, and answered from `remote`.
    fn note_turn(&mut self, url: &CanonicalUrl, remote: Option<SocketAddr>) {
        let is_stranger = remote.is_some_and(|remote| is_public(remote.ip()));
        let usual = if is_stranger {
            Politeness::PUBLIC_DELAY
        } else {
            Duration::ZERO
        };
        let delay = self.client.config.delay.0.unwrap_or(usual);
        let next_at = self.client.clock.elapsed().saturating_add(delay);
        self.next_at.insert(url.host().to_owned(), next_at);
    }
}

/// What went wrong, and where that was after redirects.
fn at(first: &CanonicalUrl, url: &CanonicalUrl, why: &str) -> String {
    if first == url {
        why.to_owned()
    } else {
        format!("redirected to {url}: {why}")
    }
}
