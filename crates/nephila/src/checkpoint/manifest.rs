//! The manifest of a checkpoint: which one it is, where the log was, and what was counted until then.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use nephila_store::{
    Error as StoreError, LogPosition, PieceWriter, read_pieces, remove_file, remove_unfinished,
};

use crate::error::{Error, ErrorKind};
use crate::options::CrawlConfig;
use crate::setup;
use crate::state::History;

const PREFIX: &str = "checkpoint-";
const SUFFIX: &str = ".dat";

/// A checkpoint that holds.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) number: u32,
    pub(crate) position: LogPosition,
    /// What the log tells up to there, but for the set of URLs that are done.
    pub(crate) history: History,
}

/// For what a checkpoint is good: shards have their hosts by their number, and queues have their order.
fn fitting(config: &CrawlConfig) -> [u8; 9] {
    let mut fitting = [0; 9];
    let (shards, order) = fitting.split_at_mut(8);
    shards.copy_from_slice(&(setup::threads(config) as u64).to_le_bytes());
    order.fill(config.order as u8);
    fitting
}

impl Manifest {
    /// The last checkpoint of a crawl, if it has one that is good for this configuration. What else is
    /// left of checkpoints is removed.
    pub(crate) fn latest(state: &Path, config: &CrawlConfig) -> Result<Option<Manifest>, Error> {
        remove_unfinished(state, &|name| number_in(name).is_some())?;
        let mut numbers: Vec<u32> = files(state)?
            .into_iter()
            .filter(|(number, path)| *path == manifest_file(state, *number))
            .map(|(number, _)| number)
            .collect();
        numbers.sort_unstable();
        let mut latest = None;
        for number in numbers.into_iter().rev() {
            match Manifest::read(state, number, config) {
                Ok(Some(manifest)) => {
                    latest = Some(manifest);
                    break;
                }
                Ok(None) => {}
                Err(error) if is_of_the_checkpoint(&error) => {}
                Err(error) => return Err(error),
            }
        }
        remove_others(state, latest.as_ref().map(|manifest| manifest.number))?;
        Ok(latest)
    }

    fn read(state: &Path, number: u32, config: &CrawlConfig) -> Result<Option<Manifest>, Error> {
        let path = manifest_file(state, number);
        let mut found = None;
        read_pieces(&path, &mut |piece| {
            let Some(mut rest) = piece.strip_prefix(&fitting(config)) else {
                return Ok(());
            };
            let unreadable = || StoreError::corrupt(&path, "cannot be read".to_owned());
            found = Some(Manifest {
                number,
                position: LogPosition::decode(&mut rest).ok_or_else(unreadable)?,
                history: History::decode(&mut rest).ok_or_else(unreadable)?,
            });
            Ok(())
        })?;
        Ok(found)
    }

    /// Writes it; from then on the checkpoint holds.
    pub(super) fn write(
        state: &Path,
        number: u32,
        config: &CrawlConfig,
        position: LogPosition,
        history: &History,
    ) -> Result<PieceWriter, Error> {
        let mut piece = fitting(config).to_vec();
        position.encode(&mut piece);
        history.encode(&mut piece);
        let mut writer = PieceWriter::create(&manifest_file(state, number))?;
        writer.add(&piece)?;
        Ok(writer)
    }
}

/// Whether an error may say only that a checkpoint, or a file that it names, is of no use: the log has all
/// that it had, and what is wrong with the log itself shows when that is read.
pub(crate) fn is_of_the_checkpoint(error: &Error) -> bool {
    use ErrorKind::{Corrupt, NotACrawl, Version};
    matches!(error.kind(), Corrupt | Version | NotACrawl) || is_of_a_missing_file(error)
}

fn is_of_a_missing_file(error: &(dyn StdError + 'static)) -> bool {
    let is_missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    error.downcast_ref().is_some_and(is_missing) || error.source().is_some_and(is_of_a_missing_file)
}

/// Removes every checkpoint: the next `resume` replays the whole log. True when there was one.
pub(crate) fn remove_all(state: &Path) -> Result<bool, Error> {
    remove_others(state, None)
}

/// Removes all files of checkpoints but those of one number; manifests first, so that none is left that
/// lacks its files. True when there were some.
pub(super) fn remove_others(state: &Path, kept: Option<u32>) -> Result<bool, Error> {
    let mut others = files(state)?;
    others.retain(|(number, _)| Some(*number) != kept);
    others.sort_by_key(|(number, path)| *path != manifest_file(state, *number));
    for (_, path) in &others {
        remove_file(path)?;
    }
    Ok(!others.is_empty())
}

fn manifest_file(state: &Path, number: u32) -> PathBuf {
    state.join(format!("{PREFIX}{number:06}{SUFFIX}"))
}

/// All files of checkpoints, with their numbers.
fn files(state: &Path) -> Result<Vec<(u32, PathBuf)>, Error> {
    let entries = std::fs::read_dir(state).map_err(|error| Error::io(state, "list", error))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::io(state, "list", error))?;
        let number = entry.file_name().to_str().and_then(number_in);
        files.extend(number.map(|number| (number, entry.path())));
    }
    Ok(files)
}

/// The number of the checkpoint that a file belongs to, by its name.
fn number_in(name: &str) -> Option<u32> {
    let rest = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    rest.split('-').next()?.parse().ok()
}
