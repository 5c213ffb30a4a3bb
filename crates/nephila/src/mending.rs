//! Mending a crawl that was broken off, without going on with it.

use std::sync::Arc;

use nephila_store::DirectoryLock;

use crate::clock::Clock;
use crate::directory::CrawlDirectory;
use crate::error::Error;
use crate::opening::open_log;
use crate::publish::Outputs;
use crate::repairs::Repairs;
use crate::sinks::Sinks;
use crate::state::History;

/// Mends what a crash has left of a crawl that nobody is at work on: cuts what was not committed,
/// gives whole parts their names, and makes every form of them, so that all that was committed is in
/// every output. Nothing is fetched, and nothing goes to another place than the crawl directory.
/// What it does not know it leaves alone. Returns what was done; nothing is done, and nothing
/// written, where somebody is at work or nothing was broken off.
///
/// # Errors
/// As the file system has it. What was done until then is done, and `resume` does the rest.
pub fn mend(directory: &CrawlDirectory, clock: &Clock) -> Result<Repairs, Error> {
    let (_, settings) = directory.read_config()?;
    let config = settings.check()?;
    let outputs = Outputs::of(directory, &config)?;
    let is_held = DirectoryLock::holder(&directory.state())?.is_some();
    if is_held || !outputs.has_open_parts()? {
        return Ok(Repairs::default());
    }
    let _lock = DirectoryLock::acquire(&directory.state())?;
    let log = open_log(&directory.state(), clock)?;
    let history = History::read(&directory.state())?;
    let is_remote = outputs.is_remote();
    let (sinks, mut repairs) = Sinks::open(log, Arc::new(outputs), &config, &history)?;
    if !is_remote {
        repairs.published_files += sinks.end()?.named;
    }
    Ok(repairs)
}
