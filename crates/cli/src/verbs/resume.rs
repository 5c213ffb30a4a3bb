//! `nephila resume`: goes on with a crawl.

use clap::ArgMatches;
use nephila::{Crawl, Repairs};

use super::crawl::{drive, prepare_process};
use super::serve;
use crate::Exit;
use crate::arguments::{is_given, settings, value};
use crate::progress_display::Display;
use crate::terminal::{complain, count};

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    prepare_process();
    let display = Display::chosen(is_given(matches, "quiet"), value(matches, "log-format"));
    let directory = value(matches, "directory").unwrap_or_default();
    let crawl = Crawl::resume(directory, &settings(matches)?)?;
    if display != Display::Quiet {
        tell_repairs(crawl.repairs());
        complain(&format!(
            "going on after {} pages",
            count(crawl.pages_before())
        ));
    }
    let bound = serve::bind(crawl.config())?;
    drive(crawl, display, bound)
}

/// Says what a crash had left and what became of it.
pub(super) fn tell_repairs(repairs: &Repairs) {
    for sentence in repairs.sentences() {
        complain(&format!("repaired: {sentence}"));
    }
}
