//! One process a directory.

use std::path::Path;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::file::{self, File};

const LOCK_NAME: &str = "lock";

/// The first bytes of the file: the holder's process id and line feeds.
const HOLDER_BYTES: usize = 16;

/// The whole file. What is behind the holder is room for a note: it is on the disk before it is needed,
/// so that a note can be left on a disk that is full.
const FILE_BYTES: usize = 1_024;

/// How often [`DirectoryLock::acquire`] tries again while only a probe is in its way, and the pause
/// between. A probe takes microseconds; a machine under load may hold it up for longer.
const PROBE_TRIES: u32 = 200;
const PROBE_PAUSE: Duration = Duration::from_millis(1);

/// Who has a state directory open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The process, as it wrote it; `None` when it has not written yet.
    pub process: Option<u32>,
}

/// The right to change a state directory; held by one process at a time.
///
/// Guarantee: while it lives, no other [`DirectoryLock::acquire`] of the same directory succeeds, in
/// this process or another on this machine. It is an flock(2) on the file `lock`, which the kernel
/// releases when the process dies, however it dies: a stale lock cannot be. The file stays, with the
/// process id of its last holder as text, and with what that has noted; only the lock on it means something. (A removed file could
/// be locked by two processes, each its own.) The file is opened close-on-exec, so a command that was
/// started does not hold it; a process that forks without exec does, until it ends.
#[derive(Debug)]
pub struct DirectoryLock {
    file: File,
}

impl DirectoryLock {
    /// Takes the lock of `state_dir`, without waiting for another holder. (A [`DirectoryLock::holder`]
    /// that looks at this moment is waited for: at most 0.2 s, usually microseconds.)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Locked`] names the process that has it; [`ErrorKind::NotACrawl`] when there is no
    /// such directory; [`ErrorKind::ReadOnly`] when it may not be written.
    pub fn acquire(state_dir: &Path) -> Result<Self, Error> {
        if !file::is_dir(state_dir) {
            return Err(Error::new(
                ErrorKind::NotACrawl,
                state_dir,
                "is not a directory",
            ));
        }
        let file = File::open_or_create(state_dir.join(LOCK_NAME))?;
        if !lock_past_probes(&file)? {
            let who = match read_holder(&file).process {
                Some(process) => format!("process {process}"),
                None => "another process".to_owned(),
            };
            return Err(Error::new(
                ErrorKind::Locked,
                file.path(),
                format!("is locked by {who}"),
            ));
        }
        if file.length()? != FILE_BYTES as u64 {
            file.truncate(0)?;
            file.write_all_at(&[b'\n'; FILE_BYTES], 0)?;
        }
        let holder = format!("{:\n<HOLDER_BYTES$}", std::process::id());
        file.write_all_at(holder.as_bytes(), 0)?;
        Ok(Self { file })
    }

    /// Leaves a note for whoever asks for it with [`DirectoryLock::note`]: why the work could not go
    /// on. An earlier one goes; an empty one is none. It is cut to about 1,000 bytes, and its line
    /// feeds become spaces. It takes no room on the disk that is not taken already.
    ///
    /// # Errors
    ///
    /// As the file system has it: a disk that may not be written any more takes no note.
    pub fn leave_note(&self, note: &str) -> Result<(), Error> {
        let most = FILE_BYTES - HOLDER_BYTES;
        let cuts = (0..=most.min(note.len())).rev();
        let cut = cuts
            .into_iter()
            .find(|cut| note.is_char_boundary(*cut))
            .unwrap_or(0);
        let mut bytes = note
            .get(..cut)
            .unwrap_or_default()
            .replace('\n', " ")
            .into_bytes();
        bytes.resize(most, b'\n');
        self.file.write_all_at(&bytes, HOLDER_BYTES as u64)
    }

    /// The last note of a holder; none where there is no note, or no lock file.
    ///
    /// # Errors
    ///
    /// As the file system has it.
    pub fn note(state_dir: &Path) -> Result<Option<String>, Error> {
        let path = state_dir.join(LOCK_NAME);
        if !file::is_file(&path) {
            return Ok(None);
        }
        let mut bytes = [0; FILE_BYTES - HOLDER_BYTES];
        let read = File::open_read(path)?.read_at_most(&mut bytes, HOLDER_BYTES as u64)?;
        let text = String::from_utf8_lossy(bytes.get(..read).unwrap_or_default());
        let note = text.trim_end_matches('\n');
        Ok((!note.is_empty()).then(|| note.to_owned()))
    }

    /// Who holds the lock of `state_dir`; `None` when nobody does. Changes nothing, needs no right to
    /// write, and makes no other process's [`DirectoryLock::acquire`] fail.
    ///
    /// The answer may be old by the time it is read: it is for people, not for deciding who may write.
    ///
    /// # Errors
    ///
    /// As the file system has it; a directory or a lock file that is not there is held by nobody.
    pub fn holder(state_dir: &Path) -> Result<Option<Holder>, Error> {
        let path = state_dir.join(LOCK_NAME);
        if !file::is_file(&path) {
            return Ok(None);
        }
        let file = File::open_read(path)?;
        // A shared lock is refused exactly while someone holds the exclusive one; it is given back
        // with the file, at once.
        if file.try_lock_shared()? {
            return Ok(None);
        }
        Ok(Some(read_holder(&file)))
    }
}

/// Takes the exclusive lock; false when another has it. Shared locks are only ever probes', which
/// end by themselves.
fn lock_past_probes(file: &File) -> Result<bool, Error> {
    for _ in 0..PROBE_TRIES {
        if file.try_lock()? {
            return Ok(true);
        }
        if !file.try_lock_shared()? {
            return Ok(false);
        }
        file.unlock()?;
        std::thread::sleep(PROBE_PAUSE);
    }
    Ok(false)
}

/// Who has the lock, as the holder wrote it; it may not have written yet.
fn read_holder(file: &File) -> Holder {
    let mut text = [0; HOLDER_BYTES];
    let read = file.read_at_most(&mut text, 0).unwrap_or(0);
    let text = text
        .get(..read)
        .and_then(|text| str::from_utf8(text).ok())
        .unwrap_or_default();
    // Without its line feed the number may be half written.
    let line = text.split_once('\n').map(|(line, _)| line);
    Holder {
        process: line.and_then(|line| line.parse().ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_is_refused_and_names_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let first = DirectoryLock::acquire(dir.path()).unwrap();
        let error = DirectoryLock::acquire(dir.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked);
        let process = format!("process {}", std::process::id());
        assert!(error.to_string().contains(&process), "{error}");
        drop(first);
        DirectoryLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn a_lock_file_that_a_dead_process_left_does_not_hold_anyone_up() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(LOCK_NAME), "4194303\nand more than a pid").unwrap();
        let _lock = DirectoryLock::acquire(dir.path()).unwrap();
        let text = std::fs::read_to_string(dir.path().join(LOCK_NAME)).unwrap();
        assert_eq!(text.trim_end(), std::process::id().to_string());
    }

    #[test]
    fn a_note_stays_until_another_is_left_and_takes_no_room() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(DirectoryLock::note(dir.path()).unwrap(), None);
        let lock = DirectoryLock::acquire(dir.path()).unwrap();
        assert_eq!(DirectoryLock::note(dir.path()).unwrap(), None);
        let length = || std::fs::metadata(dir.path().join(LOCK_NAME)).unwrap().len();
        let before = length();
        lock.leave_note("the disk\nis full").unwrap();
        drop(lock);
        let lock = DirectoryLock::acquire(dir.path()).unwrap();
        let note = DirectoryLock::note(dir.path()).unwrap();
        assert_eq!(note.as_deref(), Some("the disk is full"));
        lock.leave_note(&"\u{e4}".repeat(5_000)).unwrap();
        let note = DirectoryLock::note(dir.path()).unwrap().unwrap();
        assert!(
            note.len() > 900 && note.chars().all(|c| c == '\u{e4}'),
            "{note}"
        );
        assert_eq!(length(), before);
        lock.leave_note("").unwrap();
        assert_eq!(DirectoryLock::note(dir.path()).unwrap(), None);
        let process = Some(std::process::id());
        assert_eq!(
            DirectoryLock::holder(dir.path()).unwrap(),
            Some(Holder { process })
        );
    }

    #[test]
    fn a_probe_names_the_holder_and_keeps_nobody_out() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(DirectoryLock::holder(dir.path()).unwrap(), None);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let lock = DirectoryLock::acquire(dir.path()).unwrap();
        let process = Some(std::process::id());
        let held = DirectoryLock::holder(dir.path()).unwrap();
        assert_eq!(held, Some(Holder { process }));
        drop(lock);
        assert_eq!(DirectoryLock::holder(dir.path()).unwrap(), None);
        DirectoryLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn a_shared_lock_that_does_not_end_is_not_waited_for_without_bound() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(LOCK_NAME);
        std::fs::write(&path, "1\n").unwrap();
        let stuck = File::open_read(path).unwrap();
        assert!(stuck.try_lock_shared().unwrap());
        let error = DirectoryLock::acquire(dir.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked);
        drop(stuck);
        DirectoryLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn probes_make_no_acquire_fail() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let dir = tempfile::tempdir().unwrap();
        let is_over = AtomicBool::new(false);
        let failed = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    DirectoryLock::holder(dir.path()).unwrap();
                }
            });
            let failed = (0..200).find_map(|_| DirectoryLock::acquire(dir.path()).err());
            is_over.store(true, Ordering::Relaxed);
            failed
        });
        assert!(failed.is_none(), "{failed:?}");
    }

    #[test]
    fn a_directory_that_is_not_there_is_no_crawl_and_is_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("state");
        let error = DirectoryLock::acquire(&missing).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotACrawl);
        assert!(!missing.exists());
    }
}
