//! The output parts: files `PREFIX-00000.EXT`, `PREFIX-00001.EXT` and so on, of rows.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};
use crate::file::{self, File};

/// Rows are collected in memory up to this many bytes before they are written.
const BUFFER_BYTES: usize = 256 << 10;

/// How far the output has come. In a commit it says: everything up to here counts, nothing beyond.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartPosition {
    /// The number of the part that is written to.
    pub part: u32,
    /// The length of that part in bytes.
    pub bytes: u64,
    /// The rows of all parts up to there.
    pub rows: u64,
}

/// What [`PartWriter::open_at`] has taken away: what was written and never committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Bytes cut off the part of the position, and those of the parts removed.
    pub cut_bytes: u64,
    /// Later parts that were removed.
    pub removed_parts: u32,
}

/// Appends rows to the output parts of a directory.
///
/// Guarantee: a row is never split over two parts, and all that was appended before a
/// [`sync`](Self::sync) is on the disk when that returns. [`open_at`](Self::open_at) the position of any
/// sync leaves exactly what was appended before it.
///
/// Rows are buffered (256 KiB), so a reader sees whole rows only up to a committed position. Files that
/// are not named exactly as parts are never touched.
#[derive(Debug)]
pub struct PartWriter {
    dir: PathBuf,
    prefix: String,
    extension: String,
    roll_bytes: u64,
    file: File,
    /// What was appended: on the disk, in the file and in the buffer.
    position: PartPosition,
    /// Appended and not yet written to the file.
    buffer: Vec<u8>,
    /// A part was made whose name may not be on the disk yet.
    new_name: bool,
    /// Something was written to the file since it was last synced.
    written: bool,
    /// A sync has failed: what is on the disk is unknown, and every later call answers this.
    poison: Option<Error>,
}

impl PartWriter {
    /// Begins with part 0 in `dir`, which is made when it is not there.
    ///
    /// A part is begun anew when it has reached `roll_bytes`, so it is longer by less than what is
    /// appended at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Exists`] when a part is there already; otherwise as the file system has it.
    pub fn create(
        dir: &Path,
        prefix: &str,
        extension: &str,
        roll_bytes: u64,
    ) -> Result<Self, Error> {
        file::create_dir(dir)?;
        let name = |number| name(prefix, extension, number);
        if let Some(&number) = parts(dir, prefix, extension)?.first() {
            return Err(Error::new(
                ErrorKind::Exists,
                &dir.join(name(number)),
                "is there already",
            ));
        }
        let file = File::create_new(dir.join(name(0)))?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            file::sync_dir(parent)?;
        }
        let start = PartPosition::default();
        Ok(Self::at(dir, prefix, extension, roll_bytes, file, start))
    }

    /// Goes on at a position that an earlier process committed: cuts that part to it and removes later
    /// parts. What is left is exactly what was appended before the sync that returned the position.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] when the part is missing or shorter than the position: rows that were
    /// committed are lost. Nothing has been changed then.
    pub fn open_at(
        dir: &Path,
        prefix: &str,
        extension: &str,
        roll_bytes: u64,
        position: PartPosition,
    ) -> Result<(Self, Repaired), Error> {
        file::create_dir(dir)?;
        let parts = parts(dir, prefix, extension)?;
        let path = |number| dir.join(name(prefix, extension, number));
        let file = match parts.contains(&position.part) {
            true => File::open_write(path(position.part))?,
            // Its name need not have reached the disk while it held nothing.
            false if position.bytes == 0 => File::create_new(path(position.part))?,
            false => return Err(lost(&path(position.part), "is missing", position)),
        };
        let length = file.length()?;
        if length < position.bytes {
            return Err(lost(file.path(), &format!("has {length} bytes"), position));
        }
        let mut repaired = Repaired {
            cut_bytes: length - position.bytes,
            removed_parts: 0,
        };
        // From the last backwards, so that a crash in between leaves no gap.
        for &number in parts.iter().rev().filter(|&&number| number > position.part) {
            repaired.cut_bytes += file::length(&path(number))?;
            repaired.removed_parts += 1;
            file::remove(&path(number))?;
        }
        file.truncate(position.bytes)?;
        let mut writer = Self::at(dir, prefix, extension, roll_bytes, file, position);
        writer.written = true;
        writer.sync()?;
        Ok((writer, repaired))
    }

    /// Appends `count` rows, which are whole: the first of them begins and the last ends in `rows`.
    ///
    /// # Errors
    ///
    /// After a failed write ([`ErrorKind::Full`] most of all) these rows are not in, those before are,
    /// and it may be tried again. After a failed sync every call answers that error.
    pub fn append(&mut self, rows: &[u8], count: u64) -> Result<(), Error> {
        self.check_poison()?;
        if self.position.bytes >= self.roll_bytes && self.position.bytes > 0 {
            self.begin_part()?;
        }
        if self.buffer.len() + rows.len() > BUFFER_BYTES {
            self.flush()?;
        }
        if rows.len() > BUFFER_BYTES {
            self.written = true;
            self.file.write_all_at(rows, self.position.bytes)?;
        } else {
            self.buffer.extend_from_slice(rows);
        }
        self.position.bytes += rows.len() as u64;
        self.position.rows += count;
        Ok(())
    }

    /// Makes all that was appended durable and returns the position after it, for the commit.
    ///
    /// Blocks for at most one write, one fdatasync and, after a part was begun, one sync of the
    /// directory; for nothing when nothing was appended.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append). After a failed fsync the writer is poisoned, for the reason that
    /// [`CommitLog::append`](crate::CommitLog::append) gives.
    pub fn sync(&mut self) -> Result<PartPosition, Error> {
        self.check_poison()?;
        self.flush()?;
        self.sync_part()?;
        if self.new_name {
            file::sync_dir(&self.dir).map_err(|error| self.poisoned(error))?;
            self.new_name = false;
        }
        Ok(self.position)
    }

    fn at(
        dir: &Path,
        prefix: &str,
        extension: &str,
        roll_bytes: u64,
        file: File,
        position: PartPosition,
    ) -> Self {
        Self {
            dir: dir.to_owned(),
            prefix: prefix.to_owned(),
            extension: extension.to_owned(),
            roll_bytes,
            file,
            position,
            buffer: Vec::new(),
            new_name: true,
            written: false,
            poison: None,
        }
    }

    /// Goes on in the next part; the one before is on the disk by then, so a sync has one file to do.
    fn begin_part(&mut self) -> Result<(), Error> {
        self.flush()?;
        self.sync_part()?;
        let part = self.position.part + 1;
        let path = self.dir.join(name(&self.prefix, &self.extension, part));
        self.file = File::create_new(path)?;
        self.position = PartPosition {
            part,
            bytes: 0,
            ..self.position
        };
        self.new_name = true;
        Ok(())
    }

    /// Writes the buffer to the file; after an error it is still in the buffer.
    fn flush(&mut self) -> Result<(), Error> {
        if !self.buffer.is_empty() {
            self.written = true;
            let offset = self.position.bytes - self.buffer.len() as u64;
            self.file.write_all_at(&self.buffer, offset)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn sync_part(&mut self) -> Result<(), Error> {
        if self.written {
            self.file
                .sync_data()
                .map_err(|error| self.poisoned(error))?;
            self.written = false;
        }
        Ok(())
    }

    fn check_poison(&self) -> Result<(), Error> {
        self.poison.clone().map_or(Ok(()), Err)
    }

    fn poisoned(&mut self, error: Error) -> Error {
        self.poison = Some(error.clone());
        error
    }
}

fn name(prefix: &str, extension: &str, number: u32) -> String {
    format!("{prefix}-{number:05}.{extension}")
}

/// The numbers of the parts in a directory, in ascending order.
fn parts(dir: &Path, prefix: &str, extension: &str) -> Result<Vec<u32>, Error> {
    let named = |number| name(prefix, extension, number);
    file::numbered(dir, &format!("{prefix}-"), &format!(".{extension}"), &named)
}

fn lost(path: &Path, found: &str, position: PartPosition) -> Error {
    let what = format!(
        "{found}, and {} were committed: rows are lost",
        position.bytes
    );
    Error::corrupt(path, what)
}
