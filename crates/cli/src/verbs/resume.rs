//! `nephila resume`: goes on with a crawl.

use clap::ArgMatches;
use nephila::Crawl;

use super::crawl::{drive, prepare_process};
use crate::Exit;
use crate::arguments::{is_given, settings, value};
use crate::progress_display::Display;
use crate::terminal::{bytes, complain, count};

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    prepare_process();
    let display = Display::chosen(is_given(matches, "quiet"), value(matches, "log-format"));
    let directory = value(matches, "directory").unwrap_or_default();
    let crawl = Crawl::resume(directory, &settings(matches)?)?;
    if display != Display::Quiet {
        if crawl.repaired() > 0 {
            complain(&format!(
                "repaired: {} of rows were written and never committed; their pages are fetched again",
                bytes(crawl.repaired())
            ));
        }
        complain(&format!(
            "going on after {} pages",
            count(crawl.pages_before())
        ));
    }
    drive(crawl, display)
}
