//! `nephila reference`: the reference pages, as `cargo xtask docs` writes them.

use clap::ArgMatches;
use nephila::options::options_page;
use nephila::rows_page;

use crate::Exit;
use crate::arguments::value;

/// Prints one page.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let page = match value(matches, "page") {
        Some("rows") => rows_page(),
        _ => options_page(),
    };
    crate::terminal::say(page.trim_end())?;
    Ok(Exit::Done)
}
