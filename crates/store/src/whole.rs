//! Files that are there whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Access, Error, ErrorKind};
use crate::file::{self, File};

/// Behind the name of a file that is being made.
const UNFINISHED_SUFFIX: &str = ".new";

/// Written to at most this many bytes at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// A file that is being made beside the place where it will stand.
///
/// Guarantee: at its path there is nothing, or what was there before, until [`publish`](Self::publish)
/// has put the whole file there; that lasts when it returns. Until then it is `PATH.new`, which an
/// earlier, broken off try may have left: it is made anew. Dropped unpublished, it is removed.
#[derive(Debug)]
pub struct NewFile {
    /// None once it is published.
    file: Option<File>,
    path: PathBuf,
    unfinished: PathBuf,
    buffer: Vec<u8>,
    length: u64,
    /// What a write failed with, whole: an [`io::Error`] holds only its text.
    failed: Option<Error>,
}

impl NewFile {
    /// Begins the file that will stand at `path`. Only its owner may read and write it when
    /// `is_private`.
    ///
    /// # Errors
    ///
    /// As the file system has it.
    pub fn create(path: &Path, is_private: bool) -> Result<NewFile, Error> {
        let mut name = path.as_os_str().to_owned();
        name.push(UNFINISHED_SUFFIX);
        let unfinished = PathBuf::from(name);
        if file::is_file(&unfinished) {
            file::remove(&unfinished)?;
        }
        let file = File::create_new(unfinished.clone())?;
        if is_private {
            file.make_private()?;
        }
        Ok(NewFile {
            file: Some(file),
            path: path.to_owned(),
            unfinished,
            buffer: Vec::new(),
            length: 0,
            failed: None,
        })
    }

    /// Puts the file in its place, in place of what is there. It lasts when this returns.
    ///
    /// # Errors
    ///
    /// As the file system has it, also for an earlier write.
    pub fn publish(mut self) -> Result<(), Error> {
        self.write_out()?;
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        let published = file
            .sync_data()
            .and_then(|()| file::rename(&self.unfinished, &self.path));
        if published.is_err() {
            // It is of no use any more; what is wrong is told.
            let _ = file::remove(&self.unfinished);
        }
        published?;
        match self.path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            Some(dir) => file::sync_dir(dir),
            None => file::sync_dir(Path::new(".")),
        }
    }

    fn write_out(&mut self) -> Result<(), Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let Some(file) = &self.file else {
            return Ok(());
        };
        if let Err(error) = file.write_all_at(&self.buffer, self.length) {
            self.failed = Some(error.clone());
            return Err(error);
        }
        self.length += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES {
            self.write_out().map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // What is left of it does no harm: the next try makes it anew.
            let _ = file::remove(&self.unfinished);
        }
    }
}

/// Writes a whole file, or nothing; it lasts when this returns.
///
/// # Errors
///
/// As the file system has it.
pub fn write_whole(path: &Path, bytes: &[u8], is_private: bool) -> Result<(), Error> {
    let mut file = NewFile::create(path, is_private)?;
    file.buffer.extend_from_slice(bytes);
    file.publish()
}

/// Removes a file, for good when this returns. One that is not there is fine.
///
/// # Errors
///
/// As the file system has it.
pub fn remove_file(path: &Path) -> Result<(), Error> {
    if !file::is_file(path) {
        return Ok(());
    }
    file::remove(path)?;
    path.parent().map_or(Ok(()), file::sync_dir)
}

/// Removes what broken off tries of [`NewFile`] have left in a directory, and returns how many.
/// `is_ours` is asked for the name that each would have got: others are left alone.
///
/// # Errors
///
/// As the file system has it; a directory that is not there has none.
pub fn remove_unfinished(dir: &Path, is_ours: &dyn Fn(&str) -> bool) -> Result<u32, Error> {
    if !file::is_dir(dir) {
        return Ok(0);
    }
    let mut names = Vec::new();
    file::list(dir, &mut |name| {
        let whole = name.strip_suffix(UNFINISHED_SUFFIX);
        if whole.is_some_and(is_ours) {
            names.push(name.to_owned());
        }
    })?;
    for name in &names {
        file::remove(&dir.join(name))?;
    }
    Ok(names.len() as u32)
}

/// Makes a directory and those above it; one that is there already is fine.
///
/// # Errors
///
/// As the file system has it.
pub fn make_dir(path: &Path) -> Result<(), Error> {
    file::create_dir(path)
}

/// Whether an error of a [`Write`] that ends in a [`NewFile`] was the file system's: then it is given.
#[must_use]
pub fn store_error(error: &io::Error) -> Option<Error> {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
        .cloned()
}

/// An error of reading or writing `path` that did not come from this crate.
#[must_use]
pub fn io_error(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::new(ErrorKind::Corrupt, path, "ends before its end"),
        _ => Error::io("cannot be read", path, Access::Read, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::probe::{self, Kind};

    fn names(dir: &Path) -> Vec<String> {
        let mut names = Vec::new();
        file::list(dir, &mut |name| names.push(name.to_owned())).unwrap();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("whole");
        write_whole(&path, b"old", true).unwrap();
        let mut file = NewFile::create(&path, false).unwrap();
        file.write_all(&vec![b'n'; 3 * BUFFER_BYTES / 2]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        drop(file);
        assert_eq!(names(dir.path()), ["whole"]);
        std::fs::write(dir.path().join("whole.new"), "of a process that was killed").unwrap();
        write_whole(&path, b"new", false).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["whole"]);
    }

    #[test]
    fn a_full_disk_leaves_what_was_there_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("whole");
        write_whole(&path, b"old", false).unwrap();
        probe::fail(Some((Kind::Write, 28)));
        let error = write_whole(&path, b"new", false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Full);
        let mut file = NewFile::create(&path, false).unwrap();
        let error = file.write_all(&vec![0; BUFFER_BYTES]).unwrap_err();
        assert_eq!(store_error(&error).unwrap().kind(), ErrorKind::Full);
        drop(file);
        probe::fail(None);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["whole"]);
    }

    #[test]
    fn only_what_is_ours_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.csv.new", "mine.new", "a.csv"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let removed = remove_unfinished(dir.path(), &|name| name == "a.csv").unwrap();
        assert_eq!(
            (removed, names(dir.path())),
            (1, vec!["a.csv".into(), "mine.new".into()])
        );
    }
}
