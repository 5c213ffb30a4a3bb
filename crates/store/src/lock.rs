//! One process a directory.

use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::file::{self, File};

const LOCK_NAME: &str = "lock";

/// The right to change a state directory; held by one process at a time.
///
/// Guarantee: while it lives, no other [`DirectoryLock::acquire`] of the same directory succeeds, in
/// this process or another on this machine. It is an flock(2) on the file `lock`, which the kernel
/// releases when the process dies, however it dies: a stale lock cannot be. The file stays, with the
/// process id of its last holder as text; only the lock on it means something. (A removed file could
/// be locked by two processes, each its own.) The file is opened close-on-exec, so a command that was
/// started does not hold it; a process that forks without exec does, until it ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock of `state_dir`, without waiting.
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
        if !file.try_lock()? {
            let what = format!("is locked by {}", holder(&file));
            return Err(Error::new(ErrorKind::Locked, file.path(), what));
        }
        file.truncate(0)?;
        file.write_all_at(format!("{}\n", std::process::id()).as_bytes(), 0)?;
        Ok(Self { _file: file })
    }
}

/// Who has the lock, as the holder wrote it; it may not have written yet.
fn holder(file: &File) -> String {
    let mut text = [0; 16];
    let read = file.read_at_most(&mut text, 0).unwrap_or(0);
    let process = text.get(..read).and_then(|text| str::from_utf8(text).ok());
    match process.and_then(|text| text.trim().parse::<u32>().ok()) {
        Some(process) => format!("process {process}"),
        None => "another process".to_owned(),
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
        assert_eq!(text, format!("{}\n", std::process::id()));
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
