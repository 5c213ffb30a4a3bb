//! spider as a peer: SEED PORT IN_FLIGHT OUT. Every page once, its title and links, a JSON line each.
//!
//! The port is not needed: it crawls the domain of the seed with its subdomains.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use anyhow::Context as _;
use spider::page::Page;
use spider::tokio;
use spider::tokio::sync::broadcast::{Receiver, error::RecvError};
use spider::website::Website;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pages that may wait to be written; those beyond are dropped by the channel.
const WAITING: usize = 16_384;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("usage: SEED PORT IN_FLIGHT OUT");
    let (seed, _port, in_flight) = (next()?, next()?, next()?.parse()?);
    let out = BufWriter::new(File::create(next()?)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut website = Website::new(&seed);
        website
            .with_respect_robots_txt(false)
            .with_subdomains(true)
            .with_concurrency_limit(Some(in_flight))
            .with_return_page_links(true);
        let pages = website.subscribe(WAITING);
        let written = tokio::spawn(write(pages, out));
        website.crawl().await;
        website.unsubscribe();
        written.await?
    })
}

async fn write(mut pages: Receiver<Page>, mut out: BufWriter<File>) -> anyhow::Result<()> {
    loop {
        match pages.recv().await {
            Ok(page) if page.status_code.as_u16() == 200 => {
                let title = page
                    .metadata
                    .as_ref()
                    .and_then(|about| about.title.as_deref());
                let links = page.page_links.iter().flat_map(|links| links.iter());
                let links: Vec<&str> = links.map(|link| link.as_ref()).collect();
                let row =
                    serde_json::json!({"url": page.get_url(), "title": title, "links": links});
                writeln!(out, "{row}")?;
            }
            Ok(_) => {}
            Err(RecvError::Lagged(count)) => eprintln!("{count} pages were dropped"),
            Err(RecvError::Closed) => return Ok(out.flush()?),
        }
    }
}
