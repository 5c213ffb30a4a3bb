//! The commit log: the only truth about a crawl.
//!
//! A log is segments `commit-000000.log`, `commit-000001.log` and so on in one directory. A segment is
//! a header (`segment`) and frames (`frame`), one a commit, numbered from 0 through all segments.
//!
//! Why an open can tell a crash from damage: an append is fdatasynced before the next one begins, and a
//! segment is whole and synced before it gets its name. A crash can therefore leave one unfinished
//! frame, at the very end of the last segment. An unreadable frame with a whole commit after it, in an
//! earlier segment, or a segment that is missing, was damaged later: that is [`ErrorKind::Corrupt`] and
//! nothing is cut, because what follows it was promised.

mod frame;
mod read;
mod segment;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};
use crate::file::{self, File};
use crate::pins;
pub use frame::MAX_PAYLOAD_BYTES;
use read::{Tail, read_segments};
use segment::{HEADER_BYTES, Header};

/// The length in bytes at which a new segment is begun, when nothing else was asked for.
pub const DEFAULT_SEGMENT_BYTES: u64 = 64 << 20;

/// The frame buffer is given back when a large commit has made it longer than this.
const KEPT_BUFFER_BYTES: usize = 1 << 20;

/// An append-only log of commits, open for writing.
///
/// Guarantee: a payload whose [`append`](Self::append) returned `Ok` is replayed, whole and in order, by
/// every later [`open`](Self::open), also after kill -9 or a loss of power. One whose append did not
/// return, or returned an error, is replayed whole or not at all.
///
/// One process writes a log at a time; the caller holds the [`DirectoryLock`](crate::DirectoryLock).
/// An append is one write and one fdatasync; a new segment adds one of each, a rename and a sync of the
/// directory. Memory: one frame, at most 1 MiB between appends.
#[derive(Debug)]
pub struct CommitLog {
    dir: PathBuf,
    /// The last segment; frames are appended at `length`.
    file: File,
    /// Its number, and the salt that all segments of this log share.
    header: Header,
    /// Where the last whole frame ends. Bytes beyond it, if any, are of an append that failed.
    length: u64,
    next_sequence: u64,
    segment_bytes: u64,
    frame: Vec<u8>,
    /// The error after which it is not known what is on the disk; every later append answers it.
    poison: Option<Error>,
}

/// What a replay has found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Whole commits, each of which was visited.
    pub commits: u64,
    /// Bytes of the log up to the end of the last whole commit, headers included.
    pub bytes: u64,
    /// Bytes of an unfinished commit after them, which [`CommitLog::open`] has cut off.
    pub cut_bytes: u64,
}

/// Where a log ends at some moment; good for [`CommitLog::open_at`] for as long as the log is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPosition {
    segment: u32,
    /// In the segment, in bytes.
    offset: u64,
    /// Commits before it.
    sequence: u64,
    /// That of the log.
    salt: u64,
}

impl LogPosition {
    /// Appends the stored form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for part in [
            u64::from(self.segment),
            self.offset,
            self.sequence,
            self.salt,
        ] {
            out.extend_from_slice(&part.to_le_bytes());
        }
    }

    /// Reads what [`encode`](Self::encode) appended off the front of `bytes`.
    #[must_use]
    pub fn decode(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self {
            segment: pins::take_u32(bytes)?,
            offset: pins::take_u64(bytes)?,
            sequence: pins::take_u64(bytes)?,
            salt: pins::take_u64(bytes)?,
        })
    }
}

/// Receives the commits of a replay in order: sequence number, from 0, and payload. An error, which
/// [`Error::corrupt`] makes, ends the replay.
pub type Visit<'a> = dyn FnMut(u64, &[u8]) -> Result<(), Error> + 'a;

impl CommitLog {
    /// Makes an empty log in `state_dir`, which is made as well when it is not there. Durable when it
    /// returns.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Exists`] when a log is there already; otherwise as the file system has it.
    pub fn create(state_dir: &Path) -> Result<Self, Error> {
        file::create_dir(state_dir)?;
        if let Some(&number) = segment::numbers(state_dir)?.first() {
            let path = segment::path(state_dir, number);
            return Err(Error::new(ErrorKind::Exists, &path, "is there already"));
        }
        let header = Header {
            number: 0,
            salt: segment::new_salt(),
            first_sequence: 0,
        };
        let file = segment::create(state_dir, header)?;
        // The directory itself may be new: its own entry is made durable as well.
        if let Some(parent) = state_dir
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            file::sync_dir(parent)?;
        }
        Ok(Self::at(state_dir, file, header, HEADER_BYTES, 0))
    }

    /// Opens the log in `state_dir`: calls `visit` with every whole commit in order, cuts an unfinished
    /// one off the end, and is ready to append.
    ///
    /// An error of `visit` ends the replay and is returned; the log is then unchanged.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotACrawl`] when there is no log, [`ErrorKind::Corrupt`] with file and offset when
    /// a commit before the last is damaged, [`ErrorKind::Version`] for another format.
    pub fn open(state_dir: &Path, visit: &mut Visit<'_>) -> Result<(Self, Replayed), Error> {
        Self::open_from(state_dir, None, visit)
    }

    /// As [`open`](Self::open), but visits only the commits behind `from`: what is before it is neither
    /// read nor checked.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); [`ErrorKind::Corrupt`] also when the position is not one of this log.
    pub fn open_at(
        state_dir: &Path,
        from: LogPosition,
        visit: &mut Visit<'_>,
    ) -> Result<(Self, Replayed), Error> {
        Self::open_from(state_dir, Some(from), visit)
    }

    fn open_from(
        state_dir: &Path,
        from: Option<LogPosition>,
        visit: &mut Visit<'_>,
    ) -> Result<(Self, Replayed), Error> {
        let tail = read_segments(state_dir, from, visit)?;
        let file = File::open_write(segment::path(state_dir, tail.header.number))?;
        file.truncate(tail.length)?;
        renew_last_frame(&file, &tail)?;
        file.sync_data()?;
        segment::remove_unfinished(state_dir)?;
        file::sync_dir(state_dir)?;
        let log = Self::at(
            state_dir,
            file,
            tail.header,
            tail.length,
            tail.next_sequence,
        );
        Ok((log, tail.replayed))
    }

    /// Where the log ends now.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        LogPosition {
            segment: self.header.number,
            offset: self.length,
            sequence: self.next_sequence,
            salt: self.header.salt,
        }
    }

    /// Where it begins.
    #[must_use]
    pub fn beginning(&self) -> LogPosition {
        LogPosition {
            segment: 0,
            offset: HEADER_BYTES,
            sequence: 0,
            salt: self.header.salt,
        }
    }

    /// Bytes of commits behind a position of this log, about: a segment counts with its usual length.
    #[must_use]
    pub fn bytes_since(&self, from: LogPosition) -> u64 {
        let whole = u64::from(self.header.number.saturating_sub(from.segment)) * self.segment_bytes;
        (whole + self.length).saturating_sub(from.offset)
    }

    /// Sets the length in bytes at which a new segment is begun; a frame longer than that gets a
    /// segment of its own.
    #[must_use]
    pub fn with_segment_bytes(mut self, segment_bytes: u64) -> Self {
        self.segment_bytes = segment_bytes;
        self
    }

    /// Appends one commit and returns its sequence number, 0 for the first of a log.
    ///
    /// Blocks until the commit is durable: written and fdatasynced, and the directory synced when a
    /// segment was made.
    ///
    /// # Errors
    ///
    /// After [`ErrorKind::TooLarge`] (a payload above [`MAX_PAYLOAD_BYTES`]) and after a failed write,
    /// [`ErrorKind::Full`] most of all, the log is as it was before and may be appended to again. After
    /// a failed fsync it is poisoned: the kernel may have dropped the bytes and call the next fsync a
    /// success, so every later append answers the same error and only a new open knows what is there
    /// (<https://wiki.postgresql.org/wiki/Fsync_Errors>).
    pub fn append(&mut self, payload: &[u8]) -> Result<u64, Error> {
        if let Some(error) = &self.poison {
            return Err(error.clone());
        }
        if payload.len() > MAX_PAYLOAD_BYTES {
            let what = format!("a commit of {} bytes is above the bound", payload.len());
            return Err(Error::new(ErrorKind::TooLarge, self.file.path(), what));
        }
        let frame_bytes = (frame::HEADER_BYTES + payload.len()) as u64;
        if self.length > HEADER_BYTES && self.length + frame_bytes > self.segment_bytes {
            self.begin_segment()?;
        }
        let sequence = self.next_sequence;
        frame::encode(&mut self.frame, self.header.salt, sequence, payload);
        let written = self.file.write_all_at(&self.frame, self.length);
        self.frame.clear();
        self.frame.shrink_to(KEPT_BUFFER_BYTES);
        written.map_err(|error| self.cut_failed_frame(error))?;
        self.file
            .sync_data()
            .map_err(|error| self.poisoned(error))?;
        self.length += frame_bytes;
        self.next_sequence += 1;
        Ok(sequence)
    }

    fn at(dir: &Path, file: File, header: Header, length: u64, next_sequence: u64) -> Self {
        Self {
            dir: dir.to_owned(),
            file,
            header,
            length,
            next_sequence,
            segment_bytes: DEFAULT_SEGMENT_BYTES,
            frame: Vec::new(),
            poison: None,
        }
    }

    /// Goes on in a new segment. When that fails the old one is still there to append to, except after
    /// a failed rename or sync: then the new name may or may not be on the disk.
    fn begin_segment(&mut self) -> Result<(), Error> {
        let header = Header {
            number: self.header.number + 1,
            first_sequence: self.next_sequence,
            ..self.header
        };
        let unfinished = segment::create_unfinished(&self.dir, header)?;
        let file =
            segment::finish(&self.dir, header, unfinished).map_err(|error| self.poisoned(error))?;
        self.file = file;
        self.header = header;
        self.length = HEADER_BYTES;
        Ok(())
    }

    /// Takes back what a failed write may have left. Where even that fails, what the file holds is
    /// unknown.
    fn cut_failed_frame(&mut self, error: Error) -> Error {
        match self.file.truncate(self.length) {
            Ok(()) => error,
            Err(_) => self.poisoned(error),
        }
    }

    fn poisoned(&mut self, error: Error) -> Error {
        self.poison = Some(error.clone());
        error
    }
}

/// Reads a log as [`CommitLog::open`] does, without the lock and without changing a byte, also while
/// another process appends to it.
///
/// Stops quietly at the first unfinished frame of the last segment. `visit` and the errors are those of
/// [`CommitLog::open`]. Memory: a window of 1 MiB, or of the largest commit.
///
/// # Errors
///
/// As [`CommitLog::open`].
pub fn replay(state_dir: &Path, visit: &mut Visit<'_>) -> Result<Replayed, Error> {
    read_segments(state_dir, None, visit).map(|tail| tail.replayed)
}

/// As [`replay`], but visits only the commits behind `from`: what is before it is neither read nor checked.
///
/// # Errors
///
/// As [`CommitLog::open_at`].
pub fn replay_at(
    state_dir: &Path,
    from: LogPosition,
    visit: &mut Visit<'_>,
) -> Result<Replayed, Error> {
    read_segments(state_dir, Some(from), visit).map(|tail| tail.replayed)
}

/// As [`replay`], but visits only the commits behind `from`, where there is one, and returns where they end:
/// whoever calls it again with that follows a log that another process appends to.
///
/// # Errors
///
/// As [`CommitLog::open_at`].
pub fn replay_on(
    state_dir: &Path,
    from: Option<LogPosition>,
    visit: &mut Visit<'_>,
) -> Result<LogPosition, Error> {
    let tail = read_segments(state_dir, from, visit)?;
    Ok(LogPosition {
        segment: tail.header.number,
        offset: tail.length,
        sequence: tail.next_sequence,
        salt: tail.header.salt,
    })
}

/// Writes the last frame once more, as it is, before anything is built on it.
///
/// It is the one commit whose fdatasync may have failed or never happened (a process killed between
/// write and fdatasync). After a failed one the kernel shows the bytes as clean though the disk does
/// not have them, and syncing again does nothing: only writing makes them dirty.
fn renew_last_frame(file: &File, tail: &Tail) -> Result<(), Error> {
    let mut window = [0; 64 << 10];
    let mut offset = tail.last_frame;
    while offset < tail.length {
        let count = window
            .len()
            .min(usize::try_from(tail.length - offset).unwrap_or(usize::MAX));
        let Some(bytes) = window.get_mut(..count) else {
            break;
        };
        file.read_exact_at(bytes, offset)?;
        file.write_all_at(bytes, offset)?;
        offset += count as u64;
    }
    Ok(())
}
