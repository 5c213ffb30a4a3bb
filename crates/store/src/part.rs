//! Parts: files `PREFIX-00000.EXT`, `PREFIX-00001.EXT` and so on, that are appended to one after the
//! other.
//!
//! A part has its name only when it is whole: while it is written it is called
//! `PREFIX-00000.EXT.open`. It gets its name by a rename, after the commit that made all of it count.

mod repair;
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

/// What [`PartWriter::open_at`] has mended after a crash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Bytes that were written and never committed: cut off the part of the position, and those of the
    /// open parts after it, which were removed.
    pub cut_bytes: u64,
    /// Open parts after the position that were removed.
    pub removed_parts: u32,
    /// Parts that were whole and committed, and now have their names.
    pub published_parts: u32,
    /// Parts with a name for which no commit speaks. They are kept, as `NAME.aside`.
    pub set_aside: u32,
}

/// What the parts of one output are called, and where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartNames {
    dir: PathBuf,
    prefix: String,
    extension: String,
}

/// What a part is called while it is written to, behind its name.
const OPEN_SUFFIX: &str = ".open";

/// Behind the name of a part that no commit knows.
const ASIDE_SUFFIX: &str = ".aside";

impl PartNames {
    /// Parts `PREFIX-00000.EXTENSION` in `dir`.
    pub fn new(dir: impl Into<PathBuf>, prefix: &str, extension: &str) -> Self {
        Self {
            dir: dir.into(),
            prefix: prefix.to_owned(),
            extension: extension.to_owned(),
        }
    }

    /// Where they are.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A part's name once it is whole.
    #[must_use]
    pub fn name(&self, number: u32) -> String {
        format!("{}-{number:05}.{}", self.prefix, self.extension)
    }

    /// The path of a part once it is whole.
    #[must_use]
    pub fn path(&self, number: u32) -> PathBuf {
        self.dir.join(self.name(number))
    }

    /// The path of a part while it is written to.
    #[must_use]
    pub fn open_path(&self, number: u32) -> PathBuf {
        self.dir.join(self.name(number) + OPEN_SUFFIX)
    }

    /// The numbers of the whole parts that are there, ascending.
    ///
    /// # Errors
    ///
    /// As the file system has it.
    pub fn whole_parts(&self) -> Result<Vec<u32>, Error> {
        self.numbers("")
    }

    /// The numbers of the parts that are there and still open, ascending.
    ///
    /// # Errors
    ///
    /// As the file system has it.
    pub fn open_parts(&self) -> Result<Vec<u32>, Error> {
        self.numbers(OPEN_SUFFIX)
    }

    fn numbers(&self, suffix: &str) -> Result<Vec<u32>, Error> {
        let named = |number| self.name(number) + suffix;
        let prefix = format!("{}-", self.prefix);
        let suffix = format!(".{}{suffix}", self.extension);
        file::numbered(&self.dir, &prefix, &suffix, &named)
    }
}

/// Appends to the parts of one output.
///
/// Guarantee: what is appended at once is never split over two parts, and all that was appended before a
/// [`sync`](Self::sync) is on the disk when that returns. [`open_at`](Self::open_at) the position of any
/// sync leaves exactly what was appended before it. A part that has its name is whole, all of it was
/// committed, and it never changes again. Files that are not named exactly as parts are never touched.
///
/// What is appended is buffered (256 KiB).
#[derive(Debug)]
pub struct PartWriter {
    names: PartNames,
    roll_bytes: u64,
    file: File,
    /// What was appended: on the disk, in the file and in the buffer.
    position: PartPosition,
    /// Parts below have their names.
    published: u32,
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
    /// Begins with part 0; the directory is made when it is not there.
    ///
    /// A part is ended when it has reached `roll_bytes`, so it is longer by less than what is appended
    /// at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Exists`] when a part is there already; otherwise as the file system has it.
    pub fn create(names: PartNames, roll_bytes: u64) -> Result<Self, Error> {
        file::create_dir(&names.dir)?;
        let taken = names.whole_parts()?.first().map(|&first| names.path(first));
        let open = names.open_parts()?;
        let taken = taken.or_else(|| open.first().map(|&first| names.open_path(first)));
        if let Some(taken) = taken {
            return Err(Error::new(ErrorKind::Exists, &taken, "is there already"));
        }
        let file = File::create_new(names.open_path(0))?;
        if let Some(parent) = names.dir.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            file::sync_dir(parent)?;
        }
        Ok(Self::at(names, roll_bytes, file, PartPosition::default()))
    }

    /// Goes on at a position that an earlier process committed: cuts that part to it, removes later
    /// open parts, and gives the parts before it their names. What is left is exactly what was appended
    /// before the sync that returned the position. Where that part has its name, it was ended: then the
    /// next one is begun. Parts below `published` are known to have been ended: they may have been
    /// packed or moved away since.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] when the part is missing or shorter than the position: rows that were
    /// committed are lost. Nothing has been changed then.
    pub fn open_at(
        names: PartNames,
        roll_bytes: u64,
        position: PartPosition,
        published: u32,
    ) -> Result<(Self, Repaired), Error> {
        file::create_dir(&names.dir)?;
        let found = repair::Found::look(&names, position, published)?;
        let mut repaired = Repaired::default();
        found.clear_after(&names, position, &mut repaired)?;
        let file = found.take(&names, position, &mut repaired)?;
        let (file, position) = match file {
            Some(file) => (file, position),
            None => {
                let next = PartPosition {
                    part: position.part + 1,
                    bytes: 0,
                    ..position
                };
                (File::create_new(names.open_path(next.part))?, next)
            }
        };
        let mut writer = Self::at(names, roll_bytes, file, position);
        writer.written = true;
        writer.sync()?;
        repaired.published_parts += writer.publish_ended()?;
        Ok((writer, repaired))
    }

    /// The names of the parts.
    #[must_use]
    pub fn names(&self) -> &PartNames {
        &self.names
    }

    /// What was appended so far, synced or not.
    #[must_use]
    pub fn position(&self) -> PartPosition {
        self.position
    }

    /// How many parts have their names: those below this number.
    #[must_use]
    pub fn published(&self) -> u32 {
        self.published
    }

    /// Whether what is appended next is the first of a part.
    #[must_use]
    pub fn begins_part(&self) -> bool {
        self.position.bytes == 0 || self.position.bytes >= self.roll_bytes
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
            file::sync_dir(&self.names.dir).map_err(|error| self.poisoned(error))?;
            self.new_name = false;
        }
        Ok(self.position)
    }

    /// Gives the parts that were ended their names, and returns how many. To be called after the commit
    /// of the last [`sync`](Self::sync): until then they may still be taken back.
    ///
    /// # Errors
    ///
    /// As the file system has it; it may be tried again.
    pub fn publish_ended(&mut self) -> Result<u32, Error> {
        self.publish_below(self.position.part)
    }

    /// Ends the part that is written to and gives it its name. Returns how many parts there are then.
    /// To be called after the last commit.
    ///
    /// # Errors
    ///
    /// As the file system has it. Nothing committed is lost: [`open_at`](Self::open_at) and another end
    /// do the same.
    pub fn end(mut self) -> Result<u32, Error> {
        if self.position.bytes == 0 {
            self.publish_ended()?;
            file::remove(&self.names.open_path(self.position.part))?;
            file::sync_dir(&self.names.dir)?;
            return Ok(self.position.part);
        }
        let parts = self.position.part + 1;
        self.publish_below(parts)?;
        Ok(parts)
    }

    fn publish_below(&mut self, end: u32) -> Result<u32, Error> {
        let mut count = 0;
        for number in self.published..end {
            let open = self.names.open_path(number);
            if file::is_file(&open) {
                file::rename(&open, &self.names.path(number))?;
                count += 1;
            }
        }
        if count > 0 {
            file::sync_dir(&self.names.dir)?;
        }
        self.published = end;
        Ok(count)
    }

    fn at(names: PartNames, roll_bytes: u64, file: File, position: PartPosition) -> Self {
        Self {
            names,
            roll_bytes,
            file,
            position,
            published: 0,
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
        self.file = File::create_new(self.names.open_path(part))?;
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
