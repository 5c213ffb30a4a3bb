//! `nephila serve`: shows a crawl as a page, and what is behind `--serve`.

use anyhow::Context as _;
use clap::ArgMatches;
use nephila::options::ServeAddress;
use nephila::{Crawl, CrawlConfig};
use nephila_serve::{Bound, ServeOptions, Server, Watched};

use crate::arguments::{settings, value};
use crate::terminal::complain;
use crate::{Exit, interrupt};

/// Runs it: until a signal ends it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let config = settings(matches)?.check().map_err(nephila::Error::from)?;
    let options = options(&config, ServeAddress::usual());
    let directory = value(matches, "directory").unwrap_or_default();
    let server = Server::start(Watched::Stored(directory.into()), &options)?;
    complain(&told(&server, &options));
    interrupt::wait().context("cannot watch for signals")?;
    Ok(Exit::Done)
}

/// Takes the address where a crawl is to be shown, where that is asked for: before there is a crawl, so that
/// none is left behind where the address is taken.
pub(super) fn bind(config: &CrawlConfig) -> anyhow::Result<Option<Bound>> {
    let bind = |address| Bound::take(&options(config, address));
    Ok(config.serve.map(bind).transpose()?)
}

/// Shows a crawl while this process runs it.
pub(super) fn start(bound: Option<Bound>, crawl: &Crawl) -> anyhow::Result<Option<Server>> {
    let show = |bound: Bound| bound.show(Watched::Live(Box::new(crawl.live())));
    Ok(bound.map(show).transpose()?)
}

fn options(config: &CrawlConfig, usual: ServeAddress) -> ServeOptions {
    ServeOptions {
        address: config.serve.unwrap_or(usual).0,
        token: config.serve_token.clone(),
        hosts: config.serve_host.clone(),
    }
}

/// Where the page is.
fn told(server: &Server, options: &ServeOptions) -> String {
    let token = match options.token {
        Some(_) => "; it asks for the token",
        None => "",
    };
    format!("shown at {}{token}", server.url())
}

/// Says where a crawl is shown.
pub(super) fn tell(server: &Server, crawl: &Crawl) {
    let options = options(crawl.config(), ServeAddress::usual());
    complain(&told(server, &options));
}
