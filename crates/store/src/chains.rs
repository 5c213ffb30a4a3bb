//! Chains of small records: each record names the one before it, and a chain is taken whole.
//!
//! For the URLs of millions of hosts that wait for their first fetch. Records are appended to segments in
//! the order in which they come, whatever their chain; a segment whose records are all taken is deleted.
//! Chains are taken about in the order in which they were begun, so that segments go one after the other.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};
use crate::file::{self, File};
use crate::pins::{self, Pins};

/// The largest record, in bytes.
pub const MAX_RECORD_BYTES: usize = 64 << 10;

const SEGMENT_BYTES: usize = 64 << 20;
/// Records gathered in memory before they are written in one go.
const WRITE_BYTES: usize = 256 << 10;
/// The record before (u64), length (u32), checksum (u32), little-endian.
const HEADER_BYTES: usize = 16;
/// Read with the header, so that one read is enough for most.
const FIRST_READ_BYTES: usize = 512;

/// Where a record is: segment and offset. Zero is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    segment: u32,
    offset: u32,
}

impl Place {
    fn code(self) -> u64 {
        u64::from(self.segment) << 32 | u64::from(self.offset)
    }

    fn of(code: u64) -> Place {
        Place {
            segment: (code >> 32) as u32,
            offset: code as u32,
        }
    }
}

/// Chains of records on disk.
///
/// Guarantee: [`take`](Self::take) gives exactly the records that were appended to a chain, the first
/// first, or an error. Memory: 24 bytes a segment of 64 MiB and 256 KiB of records to be written. Nothing
/// here is durable but what a snapshot has ([`save`](Self::save)): it is rebuilt from the commit log.
#[derive(Debug)]
pub struct ChainFile {
    dir: PathBuf,
    /// Of each segment, the records that are not taken.
    segments: BTreeMap<u32, u64>,
    current: Current,
    pins: Pins,
}

/// The segment that is appended to; its number begins at one, so that no record is at zero.
#[derive(Debug)]
struct Current {
    number: u32,
    file: Option<File>,
    /// Bytes of it that are written.
    written: usize,
    /// What comes behind those.
    waiting: Vec<u8>,
}

impl ChainFile {
    /// Makes an empty chain file that keeps its segments in `dir`, which is made when it is not there.
    /// Segments that an earlier process left there are removed; other files are not touched.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made, listed or cleared.
    pub fn new(dir: &Path) -> Result<Self, Error> {
        pins::remove_others(dir, "chains-", ".dat", &name, &|_| false)?;
        Ok(Self {
            dir: dir.to_owned(),
            segments: BTreeMap::from([(1, 0)]),
            current: Current::new(1),
            pins: Pins::default(),
        })
    }

    /// Makes what is here part of a snapshot: appends what [`restore`](Self::restore) needs to know, and
    /// returns the files that have to be on the disk before it holds ([`sync_files`](crate::sync_files)).
    /// Until another snapshot takes its place they stay as they are; chains may be taken all the same.
    ///
    /// # Errors
    ///
    /// As the file system has it.
    pub fn save(&mut self, out: &mut Vec<u8>) -> Result<Vec<PathBuf>, Error> {
        if self.current.end() > 0 {
            self.begin_segment()?;
        }
        let next = self.current.number;
        let before: Vec<(u32, u64)> = self
            .segments
            .range(..next)
            .map(|(number, records)| (*number, *records))
            .collect();
        out.extend_from_slice(&u64::from(next).to_le_bytes());
        out.extend_from_slice(&(before.len() as u64).to_le_bytes());
        for (number, records) in &before {
            out.extend_from_slice(&u64::from(*number).to_le_bytes());
            out.extend_from_slice(&records.to_le_bytes());
        }
        let unsynced = self.pins.pin(next);
        let paths = before.iter().filter(|(number, _)| *number >= unsynced);
        Ok(paths.map(|(number, _)| self.path(*number)).collect())
    }

    /// The snapshot that was saved last is in its place: what only the one before it had is removed.
    pub fn release(&mut self) {
        let dir = &self.dir;
        self.pins.release(|number| dir.join(name(number)));
    }

    /// Opens the chain file of a snapshot: `saved` begins with what [`save`](Self::save) appended. Other
    /// segments in `dir` are removed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] when `saved` cannot be read or a segment is missing.
    pub fn restore(dir: &Path, saved: &mut &[u8]) -> Result<Self, Error> {
        let unreadable = || pins::unreadable(dir);
        let next = pins::take_u32(saved).ok_or_else(unreadable)?;
        let count = pins::take_u64(saved).ok_or_else(unreadable)?;
        let mut segments = BTreeMap::from([(next, 0)]);
        for _ in 0..count {
            let number = pins::take_u32(saved).ok_or_else(unreadable)?;
            let records = pins::take_u64(saved).ok_or_else(unreadable)?;
            if number >= next || !file::is_file(&dir.join(name(number))) {
                return Err(Error::corrupt(&dir.join(name(number)), "is missing"));
            }
            segments.insert(number, records);
        }
        let kept = |number: u32| number < next && segments.contains_key(&number);
        pins::remove_others(dir, "chains-", ".dat", &name, &kept)?;
        Ok(Self {
            dir: dir.to_owned(),
            segments,
            current: Current::new(next),
            pins: Pins::restored(next),
        })
    }

    /// Appends a record to the chain whose last record is `before`, or begins a chain with it. Returns what
    /// is the chain's last record from then on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] above [`MAX_RECORD_BYTES`]; [`ErrorKind::Full`] and others of the file
    /// system. The chain is then as it was.
    pub fn append(&mut self, before: Option<u64>, record: &[u8]) -> Result<u64, Error> {
        if record.len() > MAX_RECORD_BYTES {
            let what = format!("a record of {} bytes is above the bound", record.len());
            return Err(Error::new(ErrorKind::TooLarge, &self.dir, what));
        }
        if self.current.waiting.len() >= WRITE_BYTES {
            self.write_out()?;
        }
        if self.current.end() >= SEGMENT_BYTES {
            self.begin_segment()?;
        }
        let place = Place {
            segment: self.current.number,
            offset: u32::try_from(self.current.end()).unwrap_or(u32::MAX),
        };
        let before = before.unwrap_or(0);
        let waiting = &mut self.current.waiting;
        waiting.extend_from_slice(&before.to_le_bytes());
        waiting.extend_from_slice(&(record.len() as u32).to_le_bytes());
        waiting.extend_from_slice(&checksum(place, before, record).to_le_bytes());
        waiting.extend_from_slice(record);
        *self.segments.entry(place.segment).or_default() += 1;
        Ok(place.code())
    }

    /// The records of the chain whose last one this is, the first first. They are here no more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] when what is there is not what was appended; others of the file system.
    pub fn take(&mut self, last: u64) -> Result<Vec<Vec<u8>>, Error> {
        let mut records = Vec::new();
        let mut places = Vec::new();
        let mut next = last;
        let mut open: Option<(u32, File)> = None;
        while next != 0 {
            let place = Place::of(next);
            let (before, record) = self.read(place, &mut open)?;
            // Each record names one that was there before it: a chain has an end.
            if before >= next {
                return Err(self.damaged(place));
            }
            records.push(record);
            places.push(place);
            next = before;
        }
        places
            .into_iter()
            .for_each(|place| self.forget(place.segment));
        records.reverse();
        Ok(records)
    }

    /// Bytes on disk.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        let whole = self.segments.len().saturating_sub(1) * SEGMENT_BYTES;
        (whole + self.current.written) as u64
    }

    fn read(&self, place: Place, open: &mut Option<(u32, File)>) -> Result<(u64, Vec<u8>), Error> {
        if !self.segments.contains_key(&place.segment) {
            return Err(self.damaged(place));
        }
        let offset = place.offset as usize;
        let is_waiting = place.segment == self.current.number && offset >= self.current.written;
        let mut bytes;
        if is_waiting {
            let from = offset - self.current.written;
            let end = from + HEADER_BYTES + MAX_RECORD_BYTES;
            let waiting = &self.current.waiting;
            bytes = waiting
                .get(from..end.min(waiting.len()))
                .unwrap_or_default()
                .to_vec();
        } else {
            let file = match open {
                Some((segment, file)) if *segment == place.segment => file,
                _ => {
                    let file = File::open_read(self.dir.join(name(place.segment)))?;
                    &mut open.insert((place.segment, file)).1
                }
            };
            bytes = vec![0; FIRST_READ_BYTES];
            let read = file.read_at_most(&mut bytes, u64::from(place.offset))?;
            bytes.truncate(read);
            let length = header(&bytes).map_or(0, |(_, length, _)| length);
            let whole = HEADER_BYTES + length.min(MAX_RECORD_BYTES);
            if whole > bytes.len() && read == FIRST_READ_BYTES {
                bytes.resize(whole, 0);
                if let Some(rest) = bytes.get_mut(read..) {
                    file.read_exact_at(rest, u64::from(place.offset) + read as u64)?;
                }
            }
        }
        let (before, length, expected) = header(&bytes).ok_or_else(|| self.damaged(place))?;
        let record = bytes.get(HEADER_BYTES..HEADER_BYTES + length);
        let record = record.filter(|record| checksum(place, before, record) == expected);
        let record = record.ok_or_else(|| self.damaged(place))?.to_vec();
        Ok((before, record))
    }

    /// Writes what waits behind what is written.
    fn write_out(&mut self) -> Result<(), Error> {
        let current = &mut self.current;
        let file = match &current.file {
            Some(file) => file,
            None => {
                let path = self.dir.join(name(current.number));
                current.file.insert(File::create_new(path)?)
            }
        };
        file.write_all_at(&current.waiting, current.written as u64)?;
        current.written += current.waiting.len();
        current.waiting.clear();
        Ok(())
    }

    fn begin_segment(&mut self) -> Result<(), Error> {
        self.write_out()?;
        let full = self.current.number;
        let waiting = std::mem::take(&mut self.current.waiting);
        self.current = Current {
            waiting,
            ..Current::new(full + 1)
        };
        self.segments.insert(self.current.number, 0);
        self.delete_if_empty(full);
        Ok(())
    }

    /// Counts a record of a segment as taken.
    fn forget(&mut self, segment: u32) {
        if let Some(left) = self.segments.get_mut(&segment) {
            *left = left.saturating_sub(1);
        }
        if segment != self.current.number {
            self.delete_if_empty(segment);
        }
    }

    fn delete_if_empty(&mut self, number: u32) {
        if self.segments.get(&number) == Some(&0) {
            self.segments.remove(&number);
            let path = self.path(number);
            self.pins.discard(number, &path);
        }
    }

    fn path(&self, number: u32) -> PathBuf {
        self.dir.join(name(number))
    }

    fn damaged(&self, place: Place) -> Error {
        let path = self.dir.join(name(place.segment));
        let what = format!("holds no whole record at offset {}", place.offset);
        Error::corrupt(&path, what)
    }
}

impl Current {
    fn new(number: u32) -> Current {
        Current {
            number,
            file: None,
            written: 0,
            waiting: Vec::new(),
        }
    }

    fn end(&self) -> usize {
        self.written + self.waiting.len()
    }
}

impl Drop for ChainFile {
    fn drop(&mut self) {
        for number in std::mem::take(&mut self.segments).into_keys() {
            let path = self.path(number);
            self.pins.discard(number, &path);
        }
    }
}

fn name(number: u32) -> String {
    format!("chains-{number:06}.dat")
}

fn checksum(place: Place, before: u64, record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&place.code().to_le_bytes());
    hasher.update(&before.to_le_bytes());
    hasher.update(record);
    hasher.finalize()
}

/// The record before, the length, and the checksum.
fn header(bytes: &[u8]) -> Option<(u64, usize, u32)> {
    let (before, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let checksum = rest.first_chunk()?;
    Some((
        u64::from_le_bytes(*before),
        u32::from_le_bytes(*length) as usize,
        u32::from_le_bytes(*checksum),
    ))
}
