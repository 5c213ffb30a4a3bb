//! Every file operation of the crate, with the path in every error.
//!
//! Nothing else in the crate calls `std::fs` or `rustix` outside tests: what is counted, or made to
//! fail, is counted and fails here.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, FlockOperation};

use crate::error::{Access, Error, ErrorKind};
use crate::faults::{self, Act};

/// What is counted, and can be made to fail, in tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// One positioned write.
    Write,
    /// One positioned read.
    Read,
    /// One fsync or fdatasync, of a file or a directory.
    Sync,
    /// Anything else that changes the disk: create, truncate, rename, remove.
    Change,
}

/// Tells the tests' probe of an operation that is about to happen; it may answer an error instead.
fn about_to(_operation: Operation) -> io::Result<()> {
    #[cfg(test)]
    probe::note(_operation)?;
    Ok(())
}

/// Makes one change of the disk.
fn change<T>(act: Act<'_>, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    about_to(Operation::Change)?;
    faults::around(act, run)
}

/// Makes changes last.
fn sync(act: Act<'_>, run: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    about_to(Operation::Sync)?;
    // What lasts on a watched disk is not for the real one to say, and a real sync takes its time.
    let is_watched = faults::is_watched(act);
    faults::around(act, || if is_watched { Ok(()) } else { run() })
}

/// An open file that knows its path.
#[derive(Debug)]
pub(crate) struct File {
    file: fs::File,
    path: PathBuf,
}

impl File {
    /// Makes a file that must not be there yet, open for reading and writing.
    pub(crate) fn create_new(path: PathBuf) -> Result<Self, Error> {
        let opened = change(Act::Create(&path), || {
            fs::File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&path)
        });
        match opened {
            Ok(file) => Ok(Self { file, path }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::new(ErrorKind::Exists, &path, "is there already"))
            }
            Err(error) => Err(Error::io("cannot be created", &path, Access::Write, error)),
        }
    }

    /// Opens a file for reading and writing, and makes it when it is not there.
    pub(crate) fn open_or_create(path: PathBuf) -> Result<Self, Error> {
        let opened = change(Act::Create(&path), || {
            fs::File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
        });
        match opened {
            Ok(file) => Ok(Self { file, path }),
            Err(error) => Err(Error::io(
                "cannot be opened to write",
                &path,
                Access::Write,
                error,
            )),
        }
    }

    /// Opens a file that is there for reading and writing.
    pub(crate) fn open_write(path: PathBuf) -> Result<Self, Error> {
        match fs::File::options().read(true).write(true).open(&path) {
            Ok(file) => Ok(Self { file, path }),
            Err(error) => Err(Error::io(
                "cannot be opened to write",
                &path,
                Access::Write,
                error,
            )),
        }
    }

    /// Opens a file that is there for reading.
    pub(crate) fn open_read(path: PathBuf) -> Result<Self, Error> {
        match fs::File::open(&path) {
            Ok(file) => Ok(Self { file, path }),
            Err(error) => Err(Error::io("cannot be opened", &path, Access::Read, error)),
        }
    }

    /// The same open file, which was renamed to `path`.
    pub(crate) fn at_path(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The length in bytes.
    pub(crate) fn length(&self) -> Result<u64, Error> {
        let metadata = self.file.metadata();
        metadata
            .map(|metadata| metadata.len())
            .map_err(|error| self.error("has no length", error))
    }

    /// Writes all of `bytes` at `offset`. On an error any prefix of them may have been written.
    pub(crate) fn write_all_at(&self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        self.write_at(bytes, offset)
            .map_err(|error| Error::io("cannot be written", &self.path, Access::Write, error))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let act = Act::Write(&self.path, offset, bytes);
        if let Err(error) = about_to(Operation::Write).and_then(|()| faults::before(act)) {
            self.write_half_at(bytes, offset)?;
            return Err(error);
        }
        if faults::is_amid(act) {
            self.write_half_at(bytes, offset)?;
            faults::die();
        }
        self.file.write_all_at(bytes, offset)?;
        faults::after(act);
        Ok(())
    }

    /// An injected failure behaves as a full disk does: the first half of the bytes is written.
    fn write_half_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
        self.file.write_all_at(half, offset)?;
        faults::after(Act::Write(&self.path, offset, half));
        Ok(())
    }

    /// Fills all of `bytes` from `offset`; a file that ends before is [`ErrorKind::Corrupt`].
    pub(crate) fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), Error> {
        let wanted = bytes.len();
        if self.read_at_most(bytes, offset)? == wanted {
            return Ok(());
        }
        let what = format!("ends before the {wanted} bytes at offset {offset}");
        Err(Error::corrupt(&self.path, what))
    }

    /// Reads into `bytes` from `offset` until they are full or the file ends; returns how many.
    pub(crate) fn read_at_most(&self, bytes: &mut [u8], offset: u64) -> Result<usize, Error> {
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let read = about_to(Operation::Read)
                .and_then(|()| self.file.read_at(rest, offset + filled as u64));
            match read {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error("cannot be read", error)),
            }
        }
        Ok(filled)
    }

    /// Returns when the bytes, and what is needed to find them, are on the disk (fdatasync).
    pub(crate) fn sync_data(&self) -> Result<(), Error> {
        sync(Act::Sync(&self.path), || self.file.sync_data())
            .map_err(|error| Error::io("cannot be synced", &self.path, Access::Write, error))
    }

    /// Only its owner may read and write it from now on.
    pub(crate) fn make_private(&self) -> Result<(), Error> {
        use std::os::unix::fs::PermissionsExt;
        const OWNER_ONLY: u32 = 0o600;
        self.file
            .set_permissions(fs::Permissions::from_mode(OWNER_ONLY))
            .map_err(|error| Error::io("cannot be made private", &self.path, Access::Write, error))
    }

    /// Cuts the file to `length` bytes.
    pub(crate) fn truncate(&self, length: u64) -> Result<(), Error> {
        change(Act::Truncate(&self.path, length), || {
            self.file.set_len(length)
        })
        .map_err(|error| Error::io("cannot be cut", &self.path, Access::Write, error))
    }

    /// Gives the disk space of a range back and leaves zeros there. False where the file system
    /// cannot: then nothing has changed.
    pub(crate) fn free_range(&self, offset: u64, length: u64) -> bool {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        about_to(Operation::Change).is_ok()
            && rustix::fs::fallocate(&self.file, flags, offset, length).is_ok()
    }

    /// Takes the exclusive lock of the file, which the kernel releases with the last descriptor of
    /// this opening. False when another opening holds it.
    pub(crate) fn try_lock(&self) -> Result<bool, Error> {
        match rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(self.error("cannot be locked", error.into())),
        }
    }

    /// Takes a shared lock of the file, which keeps no other shared one out. False when another
    /// opening holds it exclusively.
    pub(crate) fn try_lock_shared(&self) -> Result<bool, Error> {
        match rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(self.error("cannot be locked", error.into())),
        }
    }

    /// Gives up whatever lock this opening holds.
    pub(crate) fn unlock(&self) -> Result<(), Error> {
        rustix::fs::flock(&self.file, FlockOperation::Unlock)
            .map_err(|error| self.error("cannot be unlocked", error.into()))
    }

    fn error(&self, what: &'static str, source: io::Error) -> Error {
        Error::io(what, &self.path, Access::Read, source)
    }
}

/// Whether a file of this name is there.
pub(crate) fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Makes a directory and those above it; one that is there already is fine.
pub(crate) fn create_dir(path: &Path) -> Result<(), Error> {
    about_to(Operation::Change)
        .and_then(|()| fs::create_dir_all(path))
        .map_err(|error| Error::io("cannot be created", path, Access::Write, error))
}

/// Whether the path is a directory.
pub(crate) fn is_dir(path: &Path) -> bool {
    path.is_dir()
}

/// Calls `visit` with the name of every entry of a directory that is UTF-8; ours all are.
pub(crate) fn list(dir: &Path, visit: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let failed = |error| Error::io("cannot be listed", dir, Access::Read, error);
    for entry in fs::read_dir(dir).map_err(failed)? {
        if let Some(name) = entry.map_err(failed)?.file_name().to_str() {
            visit(name);
        }
    }
    Ok(())
}

/// The numbers of the files in `dir` that are named exactly as `name(number)` says, in ascending order.
///
/// The number is found between `prefix` and `suffix`; a name that is written otherwise (fewer digits, a
/// sign) is not ours and is left out.
pub(crate) fn numbered(
    dir: &Path,
    prefix: &str,
    suffix: &str,
    name: &dyn Fn(u32) -> String,
) -> Result<Vec<u32>, Error> {
    let mut numbers = Vec::new();
    list(dir, &mut |entry| {
        let digits = entry
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix(suffix));
        let number = digits.and_then(|digits| digits.parse().ok());
        numbers.extend(number.filter(|&number| name(number) == entry));
    })?;
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes a file.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    change(Act::Remove(path), || fs::remove_file(path))
        .map_err(|error| Error::io("cannot be removed", path, Access::Write, error))
}

/// Gives a file a new name in place of whatever had that name.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    change(Act::Rename(from, to), || fs::rename(from, to))
        .map_err(|error| Error::io("cannot be renamed", from, Access::Write, error))
}

/// Returns when the directory's entries (files made, renamed and removed) are on the disk.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), Error> {
    sync(Act::SyncDir(dir), || fs::File::open(dir)?.sync_all())
        .map_err(|error| Error::io("cannot be synced", dir, Access::Write, error))
}

/// The length in bytes of the file at `path`, which is not opened.
pub(crate) fn length(path: &Path) -> Result<u64, Error> {
    let metadata = fs::symlink_metadata(path);
    metadata
        .map(|metadata| metadata.len())
        .map_err(|error| Error::io("has no length", path, Access::Read, error))
}

/// Counts the operations of this thread, and makes chosen ones fail.
#[cfg(test)]
pub(crate) mod probe {
    use super::{Operation, io};
    use std::cell::Cell;

    /// What was done since the last [`take`].
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub(crate) struct Counts {
        pub(crate) writes: u64,
        pub(crate) reads: u64,
        pub(crate) syncs: u64,
        pub(crate) changes: u64,
    }

    thread_local! {
        static COUNTS: Cell<Counts> = Cell::default();
        static FAILING: Cell<Option<(Kind, i32)>> = const { Cell::new(None) };
        static SPARED: Cell<u64> = const { Cell::new(0) };
    }

    /// Which operations fail.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Kind {
        Write,
        Sync,
        Change,
        WriteAndChange,
    }

    /// From now on operations of this kind fail with this error number; `None` heals the disk.
    pub(crate) fn fail(failing: Option<(Kind, i32)>) {
        FAILING.set(failing);
    }

    /// As [`fail`], but so many operations of the kind succeed before.
    pub(crate) fn fail_after(spared: u64, kind: Kind, number: i32) {
        SPARED.set(spared);
        fail(Some((kind, number)));
    }

    /// The counts of this thread since the last call.
    pub(crate) fn take() -> Counts {
        COUNTS.take()
    }

    pub(super) fn note(operation: Operation) -> io::Result<()> {
        let mut counts = COUNTS.get();
        let (count, kinds): (&mut u64, &[Kind]) = match operation {
            Operation::Write => (&mut counts.writes, &[Kind::Write, Kind::WriteAndChange]),
            Operation::Read => (&mut counts.reads, &[]),
            Operation::Sync => (&mut counts.syncs, &[Kind::Sync]),
            Operation::Change => (&mut counts.changes, &[Kind::Change, Kind::WriteAndChange]),
        };
        *count += 1;
        COUNTS.set(counts);
        match FAILING.get() {
            Some((kind, _)) if kinds.contains(&kind) && SPARED.get() > 0 => {
                SPARED.set(SPARED.get() - 1);
                Ok(())
            }
            Some((kind, number)) if kinds.contains(&kind) => {
                Err(io::Error::from_raw_os_error(number))
            }
            _ => Ok(()),
        }
    }
}
