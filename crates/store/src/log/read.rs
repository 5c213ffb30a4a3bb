//! Reading a log from its first commit to its last.

use std::path::Path;

use super::frame::{self, FrameHeader, MAX_PAYLOAD_BYTES};
use super::segment::{self, HEADER_BYTES, Header};
use super::{LogPosition, Replayed, Visit};
use crate::error::{Error, ErrorKind};
use crate::file::File;

/// Read at once where a single frame does not need more.
const WINDOW_BYTES: usize = 1 << 20;

/// The most that is hashed to look for a whole commit after an unreadable one. A payload that was
/// written to look like thousands of frames could otherwise make the search quadratic.
const SEARCH_HASH_BYTES: usize = 512 << 20;

/// Where a log ends, and what was found before.
#[derive(Debug)]
pub(super) struct Tail {
    /// The last segment.
    pub(super) header: Header,
    /// Where its last whole frame begins; `length` when it has none.
    pub(super) last_frame: u64,
    /// Where its last whole frame ends.
    pub(super) length: u64,
    pub(super) next_sequence: u64,
    pub(super) replayed: Replayed,
}

/// Visits every whole commit behind `from` in order and says where the log ends. Segments before that
/// have to be there; they are not read.
pub(super) fn read_segments(
    dir: &Path,
    from: Option<LogPosition>,
    visit: &mut Visit<'_>,
) -> Result<Tail, Error> {
    let missing = || Error::new(ErrorKind::NotACrawl, dir, "holds no commit log");
    if !crate::file::is_dir(dir) {
        return Err(missing());
    }
    let numbers = segment::numbers(dir)?;
    let last = *numbers.last().ok_or_else(missing)?;
    let mut tail: Option<Tail> = None;
    for (expected, &number) in (0..).zip(&numbers) {
        if number != expected {
            let path = segment::path(dir, expected);
            return Err(Error::corrupt(
                &path,
                "is missing, and later segments are there",
            ));
        }
        let begins_at = from.filter(|from| number <= from.segment);
        if begins_at.is_some_and(|from| number < from.segment) {
            continue;
        }
        let mut segment = match begins_at {
            Some(from) => Segment::open_at(dir, from)?,
            None => Segment::open(dir, number, tail.as_ref())?,
        };
        segment.visit_frames(visit)?;
        if number == last {
            segment.check_torn_tail()?;
        } else if segment.next < segment.length {
            return Err(segment.damaged());
        }
        tail = Some(segment.into_tail(tail.as_ref()));
    }
    tail.ok_or_else(missing)
}

/// One segment while it is read.
struct Segment {
    file: File,
    header: Header,
    /// What there was when it was opened; a writer may since have appended.
    length: u64,
    /// Where the next frame begins, and its sequence number.
    next: u64,
    next_sequence: u64,
    last_frame: u64,
    /// A piece of the file, from `window_start`.
    window: Vec<u8>,
    window_start: u64,
}

impl Segment {
    fn open(dir: &Path, number: u32, before: Option<&Tail>) -> Result<Self, Error> {
        let file = File::open_read(segment::path(dir, number))?;
        let length = file.length()?;
        let header = Header::read(&file)?;
        let follows = match before {
            Some(before) => {
                header.salt == before.header.salt && header.first_sequence == before.next_sequence
            }
            // The first segment follows nothing: it begins with commit 0.
            None => header.first_sequence == 0,
        };
        if header.number != number || !follows {
            return Err(Error::corrupt(
                file.path(),
                "does not follow the segment before it",
            ));
        }
        Ok(Self {
            file,
            header,
            length,
            next: HEADER_BYTES,
            next_sequence: header.first_sequence,
            last_frame: HEADER_BYTES,
            window: Vec::new(),
            window_start: 0,
        })
    }

    /// Opens a segment at a position that lies in it.
    fn open_at(dir: &Path, from: LogPosition) -> Result<Self, Error> {
        let file = File::open_read(segment::path(dir, from.segment))?;
        let (length, header) = (file.length()?, Header::read(&file)?);
        if header.number != from.segment
            || header.salt != from.salt
            || length < from.offset
            || header.first_sequence > from.sequence
        {
            let what = "is not the segment that a snapshot was taken in";
            return Err(Error::corrupt(file.path(), what));
        }
        Ok(Self {
            file,
            header,
            length,
            next: from.offset,
            next_sequence: from.sequence,
            last_frame: from.offset,
            window: Vec::new(),
            window_start: 0,
        })
    }

    /// Visits frames until the first that is not whole. One that is not is read a second time from the
    /// file: a writer may have finished it since the window was read.
    fn visit_frames(&mut self, visit: &mut Visit<'_>) -> Result<(), Error> {
        loop {
            while let Some(frame_bytes) = self.whole_frame_at(self.next, self.next_sequence)? {
                let sequence = self.next_sequence;
                let frame = self.bytes(self.next, frame_bytes)?.unwrap_or_default();
                visit(
                    sequence,
                    frame.get(frame::HEADER_BYTES..).unwrap_or_default(),
                )?;
                self.last_frame = self.next;
                self.next += frame_bytes as u64;
                self.next_sequence += 1;
            }
            self.window.clear();
            if self
                .whole_frame_at(self.next, self.next_sequence)?
                .is_none()
            {
                return Ok(());
            }
        }
    }

    /// The bytes of the frame at `offset`, if a whole one with this sequence number is there.
    fn whole_frame_at(&mut self, offset: u64, sequence: u64) -> Result<Option<usize>, Error> {
        let salt = self.header.salt;
        let Some(bytes) = self.bytes(offset, frame::HEADER_BYTES)? else {
            return Ok(None);
        };
        let Some(header) = FrameHeader::parse(bytes) else {
            return Ok(None);
        };
        if header.sequence != sequence {
            return Ok(None);
        }
        let Some(bytes) = self.bytes(offset, header.frame_bytes())? else {
            return Ok(None);
        };
        let payload = bytes.get(frame::HEADER_BYTES..).unwrap_or_default();
        Ok(header
            .matches(salt, payload)
            .then_some(header.frame_bytes()))
    }

    /// `count` bytes from `offset`, at most one frame; None where the segment has fewer.
    fn bytes(&mut self, offset: u64, count: usize) -> Result<Option<&[u8]>, Error> {
        debug_assert!(count <= frame::HEADER_BYTES + MAX_PAYLOAD_BYTES);
        let available = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        if count > available {
            return Ok(None);
        }
        let ahead = offset
            .checked_sub(self.window_start)
            .and_then(|at| usize::try_from(at).ok());
        let inside = ahead.filter(|at| at.saturating_add(count) <= self.window.len());
        let start = match inside {
            Some(start) => start,
            None => {
                self.window.clear();
                self.window.shrink_to(WINDOW_BYTES);
                self.window
                    .resize(available.min(count.max(WINDOW_BYTES)), 0);
                let read = self.file.read_at_most(&mut self.window, offset)?;
                self.window.truncate(read);
                self.window_start = offset;
                0
            }
        };
        Ok(self.window.get(start..start + count))
    }

    /// What follows the last whole frame of the last segment is a torn append, unless a whole commit
    /// stands further on: appends are synced one by one, so that one was promised, and so was the
    /// unreadable one before it.
    fn check_torn_tail(&mut self) -> Result<(), Error> {
        let mut budget = SEARCH_HASH_BYTES;
        let mut offset = self.next + 1;
        while let Some(bytes) = self.bytes(offset, frame::HEADER_BYTES)? {
            let header = FrameHeader::parse(bytes);
            let remaining = self.length - offset;
            let header = header.filter(|header| {
                // After the unreadable frame come at most as many as fit between, each with a header.
                let between = (offset - self.next) / frame::HEADER_BYTES as u64;
                let later = header.sequence.wrapping_sub(self.next_sequence);
                (1..=between.max(1)).contains(&later) && header.frame_bytes() as u64 <= remaining
            });
            if let Some(header) = header {
                budget = budget
                    .checked_sub(header.frame_bytes())
                    .ok_or_else(|| self.damaged())?;
                if self.whole_frame_at(offset, header.sequence)?.is_some() {
                    return Err(self.damaged());
                }
            }
            offset += 1;
        }
        Ok(())
    }

    fn damaged(&self) -> Error {
        let what = format!(
            "is damaged at offset {} (commit {}), and what follows was committed",
            self.next, self.next_sequence
        );
        Error::corrupt(self.file.path(), what)
    }

    fn into_tail(self, before: Option<&Tail>) -> Tail {
        let earlier = before.map(|before| before.replayed).unwrap_or_default();
        Tail {
            header: self.header,
            last_frame: self.last_frame,
            length: self.next,
            next_sequence: self.next_sequence,
            replayed: Replayed {
                commits: self.next_sequence,
                bytes: earlier.bytes + self.next,
                cut_bytes: self.length - self.next,
            },
        }
    }
}
