//! `nephila report`: what a crawl found, as one HTML page.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::ArgMatches;
use nephila::{Clock, CrawlDirectory, Report};

use crate::Exit;
use crate::arguments::value;
use crate::terminal::{complain, safe, say};

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let directory = CrawlDirectory::at(value(matches, "directory").unwrap_or_default());
    let page = Report::read(&directory, Clock::start().now())?.to_html();
    let Some(path) = value(matches, "output") else {
        say(page.trim_end())?;
        return Ok(Exit::Done);
    };
    write_new(Path::new(path), &page).with_context(|| format!("cannot write {}", safe(path)))?;
    complain(&format!("the report is in {}", safe(path)));
    Ok(Exit::Done)
}

/// Writes a file that must not exist.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
