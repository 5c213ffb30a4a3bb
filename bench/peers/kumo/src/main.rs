//! kumo as a peer: SEED PORT IN_FLIGHT OUT. Every page once, its title and links, a JSON line each.
//!
//! Its documentation advises a frontier of one's own where every URL has to be crawled: the one in
//! memory forgets some (a Bloom filter) and looks through the whole queue for each request.

use std::collections::{HashSet, VecDeque};
use std::sync::Mutex;

use anyhow::Context as _;
use kumo::frontier::Frontier;
use kumo::prelude::*;
use kumo::request::FrontierRequest;
use kumo::scheduler::PolitenessPolicy;
use kumo::store::JsonlStore;
use scraper::{Html, Selector};
use url::Url;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("usage: SEED PORT IN_FLIGHT OUT");
    let (seed, port, in_flight) = (next()?, next()?.parse()?, next()?.parse()?);
    let store = JsonlStore::new(next()?)?;
    let pages = Pages {
        seed,
        port,
        links: selector("a[href], area[href]")?,
        base: selector("base[href]")?,
        title: selector("title")?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(
        CrawlEngine::builder()
            .concurrency(in_flight)
            .politeness(PolitenessPolicy::new().per_domain_concurrency(in_flight))
            .respect_robots_txt(false)
            .frontier(Exact::default())
            .store(store)
            .run(pages),
    )?;
    Ok(())
}

fn selector(text: &str) -> anyhow::Result<Selector> {
    Selector::parse(text).map_err(|error| anyhow::anyhow!("{text}: {error}"))
}

#[derive(serde::Serialize)]
struct Row {
    url: String,
    title: Option<String>,
    links: Vec<String>,
}

struct Pages {
    seed: String,
    port: u16,
    links: Selector,
    base: Selector,
    title: Selector,
}

impl Pages {
    fn row(&self, response: &Response, html: &str) -> Row {
        let document = Html::parse_document(html);
        let title = document.select(&self.title).next();
        let own = Url::parse(response.url()).ok();
        let declared = document.select(&self.base).next();
        let base = declared
            .and_then(|base| own.as_ref()?.join(base.attr("href")?).ok())
            .or(own);
        let mut seen = HashSet::new();
        let targets = document.select(&self.links).filter_map(|link| {
            let mut url = base.as_ref()?.join(link.attr("href")?).ok()?;
            url.set_fragment(None);
            (url.scheme() == "http").then(|| url.to_string())
        });
        Row {
            url: response.url().to_owned(),
            title: title.map(|title| title.text().collect()),
            links: targets.filter(|url| seen.insert(url.clone())).collect(),
        }
    }

    fn is_ours(&self, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| url.port() == Some(self.port))
    }
}

#[async_trait::async_trait]
impl Spider for Pages {
    type Item = Row;

    fn name(&self) -> &str {
        "pages"
    }

    fn start_urls(&self) -> Vec<String> {
        vec![self.seed.clone()]
    }

    async fn parse(&self, response: &Response) -> Result<Output<Row>, KumoError> {
        let kind = response
            .headers()
            .get("content-type")
            .and_then(|kind| kind.to_str().ok());
        let is_html = kind.is_none_or(|kind| kind.starts_with("text/html"));
        match response
            .text()
            .filter(|_| is_html && response.status() == 200)
        {
            None => Ok(Output::new()),
            Some(html) => {
                let row = self.row(response, html);
                let ours = row
                    .links
                    .iter()
                    .filter(|url| self.is_ours(url))
                    .cloned()
                    .collect();
                Ok(Output::new().item(row).follow_many(ours))
            }
        }
    }
}

/// First in, first out, and no URL twice.
#[derive(Default)]
struct Exact {
    queue: Mutex<VecDeque<FrontierRequest>>,
    seen: Mutex<HashSet<String>>,
}

impl Exact {
    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<FrontierRequest>> {
        self.queue
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[async_trait::async_trait]
impl Frontier for Exact {
    async fn push(&self, url: String, depth: usize) -> bool {
        self.push_request(CrawlRequest::get(url), depth).await
    }

    async fn push_force(&self, url: String, depth: usize, retry_count: u32) {
        let request = FrontierRequest::new(CrawlRequest::get(url), depth, retry_count);
        self.push_request_force(request).await;
    }

    async fn pop(&self) -> Option<(String, usize, u32)> {
        let next = self.pop_request().await?;
        Some((
            next.request().url().to_owned(),
            next.depth(),
            next.retry_count(),
        ))
    }

    async fn push_request(&self, request: CrawlRequest, depth: usize) -> bool {
        let mut seen = self
            .seen
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let is_new = seen.insert(request.url().to_owned());
        if is_new {
            self.queue()
                .push_back(FrontierRequest::new(request, depth, 0));
        }
        is_new
    }

    async fn push_request_force(&self, queued: FrontierRequest) {
        self.queue().push_back(queued);
    }

    async fn pop_request(&self) -> Option<FrontierRequest> {
        self.queue().pop_front()
    }

    async fn len(&self) -> usize {
        self.queue().len()
    }
}
