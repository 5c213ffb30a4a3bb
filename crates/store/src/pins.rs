//! Files that a snapshot has: they stay as they are until another snapshot is there.
//!
//! Seen set, block file and chain file keep their bytes in numbered files. A snapshot names those of a
//! moment, and they go on being used. What is of no use any more is removed only when the snapshot that
//! names it is replaced.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::file::{self, File};

/// Which files of one kind, in one directory, a snapshot has.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    /// The last snapshot has every file below this number that was there.
    below: u32,
    /// Of those, files that are of no use to anything but it.
    unused: Vec<u32>,
    /// Files that only the snapshot before it has.
    replaced: Vec<u32>,
    /// Files below this number are on the disk for good.
    synced_below: u32,
}

impl Pins {
    /// After a restore: the snapshot has every file below `next`, and they are on the disk.
    pub(crate) fn restored(next: u32) -> Pins {
        Pins {
            below: next,
            synced_below: next,
            ..Pins::default()
        }
    }

    /// Whether the snapshot has a file: its bytes are not to change.
    pub(crate) fn has(&self, number: u32) -> bool {
        number < self.below
    }

    /// Removes a file that is of no use any more, now or when no snapshot has it.
    pub(crate) fn discard(&mut self, number: u32, path: &Path) {
        if self.has(number) {
            self.unused.push(number);
            return;
        }
        // Best effort: what stays is removed when the next one is made or restored.
        let _ = file::remove(path);
    }

    /// A snapshot is made that has all files below `next`; returns where those begin that are not yet
    /// on the disk for good.
    pub(crate) fn pin(&mut self, next: u32) -> u32 {
        self.below = next;
        self.replaced.append(&mut self.unused);
        self.synced_below
    }

    /// That snapshot is in its place: what only the one before it had is removed.
    pub(crate) fn release(&mut self, path: impl Fn(u32) -> PathBuf) {
        self.synced_below = self.below;
        for number in self.replaced.drain(..) {
            // Best effort: what stays is removed when the next one is restored.
            let _ = file::remove(&path(number));
        }
    }
}

/// Removes the numbered files of a directory that are not among `kept`.
pub(crate) fn remove_others(
    dir: &Path,
    prefix: &str,
    suffix: &str,
    name: &dyn Fn(u32) -> String,
    kept: &dyn Fn(u32) -> bool,
) -> Result<(), Error> {
    file::create_dir(dir)?;
    for number in file::numbered(dir, prefix, suffix, name)? {
        if !kept(number) {
            file::remove(&dir.join(name(number)))?;
        }
    }
    Ok(())
}

/// Returns when the bytes of these files, and their names, are on the disk.
///
/// # Errors
///
/// As the file system has it.
pub fn sync_files(paths: &[PathBuf]) -> Result<(), Error> {
    let mut dirs: Vec<&Path> = Vec::new();
    for path in paths {
        File::open_write(path.clone())?.sync_data()?;
        dirs.extend(path.parent());
    }
    dirs.sort_unstable();
    dirs.dedup();
    dirs.into_iter().try_for_each(file::sync_dir)
}

/// Reads a number off the front of what was saved.
pub(crate) fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*head))
}

/// As [`take_u64`], of a number of 32 bits.
pub(crate) fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    u32::try_from(take_u64(bytes)?).ok()
}

/// The error of a description that cannot be read.
pub(crate) fn unreadable(dir: &Path) -> Error {
    Error::corrupt(dir, "is not described by the snapshot")
}
