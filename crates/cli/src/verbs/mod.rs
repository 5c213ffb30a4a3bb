//! The verbs, one file each.

mod completions;
mod config;
mod crawl;
mod demo;
mod explain;
mod export;
mod fetch;
mod lab;
mod reference;
mod report;
mod resume;
mod robots;
mod serve;
mod sitemap;
mod status;
mod why;

use clap::ArgMatches;

use crate::Exit;

/// Runs the verb that was named.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    match matches.subcommand() {
        Some(("crawl", matches)) => crawl::run(matches),
        Some(("resume", matches)) => resume::run(matches),
        Some(("status", matches)) => status::run(matches),
        Some(("why", matches)) => why::run(matches),
        Some(("explain", matches)) => explain::run(matches),
        Some(("export", matches)) => export::run(matches),
        Some(("report", matches)) => report::run(matches),
        Some(("serve", matches)) => serve::run(matches),
        Some(("fetch", matches)) => fetch::run(matches),
        Some(("robots", matches)) => robots::run(matches),
        Some(("sitemap", matches)) => sitemap::run(matches),
        Some(("config", matches)) => config::run(matches),
        Some(("completions", matches)) => completions::run(matches),
        Some(("demo", matches)) => demo::run(matches),
        Some(("lab", matches)) => lab::run(matches),
        Some(("reference", matches)) => reference::run(matches),
        _ => Ok(Exit::Usage),
    }
}
