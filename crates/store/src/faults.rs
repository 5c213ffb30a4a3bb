//! Faults on purpose: a process that dies at a named file operation, and a disk that loses its power.
//!
//! Every file operation of a crawl passes [`before`] and [`after`]. Where nothing was asked for, that
//! costs one relaxed load. What can be asked for:
//!
//! - [`kill_at`]: the process kills itself (SIGKILL) before, after or in the middle of the n-th operation
//!   of a kind on files of a name. The crash harness runs the real command with it.
//! - [`Disk::watch`]: keeps beside a directory what of it would survive a loss of power: bytes only
//!   once their file was synced, names only once their directory was. [`Disk::lose_power`] leaves on the
//!   real disk what such a crash could leave: of what was not synced some, none or all, in sectors of
//!   512 bytes and in any order. The model is that of Pillai et al., "All File Systems Are Not Created Equal"
//!   (OSDI 2014), but for names, which survive in the order in which they were changed in a directory,
//!   as all journalling file systems have it.
//! - [`slow_disk`]: every write takes as long as on a disk of so many bytes a second.

mod disk;
mod kill;
mod slow;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

pub use disk::Disk;
pub use kill::kill_at;
pub(crate) use kill::{die, is_amid};
pub use slow::slow_disk;

/// One file operation that changes the disk, or makes a change last.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act<'a> {
    /// A file is made, or opened in case it has to be made.
    Create(&'a Path),
    /// Bytes are written at an offset.
    Write(&'a Path, u64, &'a [u8]),
    /// A file gets this length.
    Truncate(&'a Path, u64),
    /// A file's bytes and length are to last.
    Sync(&'a Path),
    /// A directory's names are to last.
    SyncDir(&'a Path),
    /// A file gets a new name.
    Rename(&'a Path, &'a Path),
    /// A name goes.
    Remove(&'a Path),
}

impl<'a> Act<'a> {
    /// The name by which [`kill_at`] knows it.
    fn name(&self) -> &'static str {
        match self {
            Act::Create(_) => "create",
            Act::Write(..) => "write",
            Act::Truncate(..) => "truncate",
            Act::Sync(_) => "sync",
            Act::SyncDir(_) => "sync-dir",
            Act::Rename(..) => "rename",
            Act::Remove(_) => "remove",
        }
    }

    /// The file or directory it acts on; of a rename the new name.
    fn path(&self) -> &'a Path {
        match self {
            Act::Create(path)
            | Act::Write(path, ..)
            | Act::Truncate(path, _)
            | Act::Sync(path)
            | Act::SyncDir(path)
            | Act::Rename(_, path)
            | Act::Remove(path) => path,
        }
    }
}

/// How many faults are asked for: watched disks and the kill.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// Whether the operation is on a watched disk.
pub(crate) fn is_watched(act: Act<'_>) -> bool {
    ASKED.load(Ordering::Relaxed) > 0 && disk::is_watched(act)
}

/// Runs an operation between its [`before`] and [`after`].
pub(crate) fn around<T>(act: Act<'_>, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    before(act)?;
    let done = run()?;
    after(act);
    Ok(done)
}

/// To be called before an operation; an error stands for the operation's own.
pub(crate) fn before(act: Act<'_>) -> io::Result<()> {
    if ASKED.load(Ordering::Relaxed) == 0 {
        return Ok(());
    }
    kill::before(act);
    slow::before(act);
    disk::before(act)
}

/// To be called after an operation that succeeded.
pub(crate) fn after(act: Act<'_>) {
    if ASKED.load(Ordering::Relaxed) == 0 {
        return;
    }
    disk::after(act);
    kill::after(act);
}
