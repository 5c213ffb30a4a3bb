//! The verbs, one file each.

mod crawl;
mod reference;
mod resume;

use clap::ArgMatches;

use crate::Exit;

/// Runs the verb that was named.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    match matches.subcommand() {
        Some(("crawl", matches)) => crawl::run(matches),
        Some(("resume", matches)) => resume::run(matches),
        Some(("reference", matches)) => reference::run(matches),
        _ => Ok(Exit::Usage),
    }
}
