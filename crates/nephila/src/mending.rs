//! Mending a crawl that was broken off, without going on with it.

use std::path::Path;
use std::sync::Arc;

use nephila_store::DirectoryLock;

use crate::directory::CrawlDirectory;
use crate::error::{Error, ErrorKind};
use crate::opening::{check_not_lost, existing_log};
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
pub fn mend(directory: &CrawlDirectory) -> Result<Repairs, Error> {
    let (_, settings) = directory.read_config()?;
    let config = settings.check()?;
    let outputs = Outputs::of(directory, &config)?;
    let state = directory.state();
    if !has_log(&state)? {
        check_not_lost(&outputs, &state)?;
        return Ok(Repairs::default());
    }
    if DirectoryLock::holder(&state)?.is_some() || !is_broken(&outputs, &state)? {
        return Ok(Repairs::default());
    }
    let lock = DirectoryLock::acquire(&state)?;
    let Some(log) = existing_log(&outputs, &state)? else {
        return Ok(Repairs::default());
    };
    let history = History::read(&state)?;
    let is_remote = outputs.is_remote();
    let (sinks, mut repairs) = Sinks::open(log, Arc::new(outputs), &config, &history)?;
    if !is_remote {
        repairs.published_files += sinks.end()?.named;
        if history.stopped.is_some() {
            // It had come to its end, and all of it is put out now.
            lock.leave_note("")?;
        }
    }
    Ok(repairs)
}

fn has_log(state: &Path) -> Result<bool, Error> {
    let entries = match state.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => {
            let what = format!("{}: {error}", state.display());
            return Err(Error::new(ErrorKind::Io, what));
        }
    };
    let is_log = |name: &str| name.starts_with("commit-") && name.ends_with(".log");
    Ok(entries
        .flatten()
        .any(|entry| entry.file_name().to_str().is_some_and(is_log)))
}

/// Whether a part is still open, or not there in every form.
fn is_broken(outputs: &Outputs, state: &Path) -> Result<bool, Error> {
    if outputs.has_open_parts()? {
        return Ok(true);
    }
    if !outputs.has_work() || outputs.is_remote() {
        return Ok(false);
    }
    let published = History::read(state)?.published;
    outputs.has_unpublished(published)
}
