//! Queues beyond memory: blocks of bytes that are written once and taken once, in any order.
//!
//! Blocks are appended to segments of 64 MiB. A block that is taken gives its disk space back at once
//! (a hole is punched where it was), and a segment whose blocks are all taken is deleted. Blocks begin at
//! multiples of 4 KiB, the unit in which file systems give space back.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};
use crate::file::{self, File};
use crate::pins::{self, Pins};

/// The largest block, in bytes: 16 MiB with its header.
pub const MAX_BLOCK_BYTES: usize = (16 << 20) - HEADER_BYTES;

const SEGMENT_BYTES: u32 = 64 << 20;
const UNIT_BYTES: u32 = 4096;
/// Length (u32), checksum (u32), little-endian. A block that was taken has zeros there.
const HEADER_BYTES: usize = 8;
/// Read with the header, so that one read is enough for a block of up to this.
const FIRST_READ_BYTES: usize = 64 << 10;

/// Where a block is; given by [`BlockFile::write`] and good for one [`BlockFile::take`] of the same
/// [`BlockFile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockId {
    segment: u32,
    /// In bytes, a multiple of the unit.
    offset: u32,
}

impl BlockId {
    /// As one number.
    #[must_use]
    pub fn code(self) -> u64 {
        u64::from(self.segment) << 32 | u64::from(self.offset)
    }

    /// What [`BlockId::code`] gave the number of.
    #[must_use]
    pub fn from_code(code: u64) -> BlockId {
        BlockId {
            segment: (code >> 32) as u32,
            offset: code as u32,
        }
    }
}

/// Blocks of bytes on disk, each read back once and freed by it.
///
/// Guarantee: [`take`](Self::take) returns exactly the bytes that were written, or an error: a checksum
/// over them and their place says so. Disk: the blocks not yet taken, each rounded up to 4 KiB with its
/// header of 8 bytes, so write blocks of 16 KiB or more. On a file system that cannot punch holes a
/// segment keeps its 64 MiB until its last block is taken.
/// Memory: some 50 bytes a segment and one open file; nothing a block.
///
/// Nothing here is durable but what a snapshot has ([`save`](Self::save)): it is rebuilt from the commit
/// log, and the files of an earlier process are removed. They go with the value, too. A write is one write; a take is one read (two above 64 KiB), one
/// open and one hole.
#[derive(Debug)]
pub struct BlockFile {
    dir: PathBuf,
    segments: BTreeMap<u32, Segment>,
    /// The segment that is written to; none before the first write.
    current: Option<Current>,
    next_segment: u32,
    segment_bytes: u32,
    pins: Pins,
}

/// What is known of a segment that is on disk.
#[derive(Debug, Clone, Copy, Default)]
struct Segment {
    blocks: u32,
    /// Written and not given back.
    disk_bytes: u64,
}

#[derive(Debug)]
struct Current {
    number: u32,
    file: File,
    /// Where the next block goes.
    end: u32,
}

impl BlockFile {
    /// Makes an empty block file that keeps its segments in `dir`, which is made when it is not there.
    /// Segments that an earlier process left there are removed; other files are not touched.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made, listed or cleared.
    pub fn new(dir: &Path) -> Result<Self, Error> {
        pins::remove_others(dir, "blocks-", ".dat", &name, &|_| false)?;
        Ok(Self {
            dir: dir.to_owned(),
            segments: BTreeMap::new(),
            current: None,
            next_segment: 0,
            segment_bytes: SEGMENT_BYTES,
            pins: Pins::default(),
        })
    }

    /// Makes what is here part of a snapshot: appends what [`restore`](Self::restore) needs to know, and
    /// returns the files that have to be on the disk before it holds ([`sync_files`](crate::sync_files)).
    /// Until another snapshot takes its place they stay as they are; blocks may be taken all the same.
    pub fn save(&mut self, out: &mut Vec<u8>) -> Vec<PathBuf> {
        if let Some(current) = self.current.take() {
            self.delete_if_empty(current.number);
        }
        out.extend_from_slice(&u64::from(self.next_segment).to_le_bytes());
        out.extend_from_slice(&(self.segments.len() as u64).to_le_bytes());
        for (number, segment) in &self.segments {
            for part in [
                u64::from(*number),
                u64::from(segment.blocks),
                segment.disk_bytes,
            ] {
                out.extend_from_slice(&part.to_le_bytes());
            }
        }
        let unsynced = self.pins.pin(self.next_segment);
        let paths = self.segments.range(unsynced..);
        paths.map(|(number, _)| self.path(*number)).collect()
    }

    /// The snapshot that was saved last is in its place: what only the one before it had is removed.
    pub fn release(&mut self) {
        let dir = &self.dir;
        self.pins.release(|number| dir.join(name(number)));
    }

    /// Opens the block file of a snapshot: `saved` begins with what [`save`](Self::save) appended. Other
    /// segments in `dir` are removed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] when `saved` cannot be read or a segment is missing.
    pub fn restore(dir: &Path, saved: &mut &[u8]) -> Result<Self, Error> {
        let unreadable = || pins::unreadable(dir);
        let next_segment = pins::take_u32(saved).ok_or_else(unreadable)?;
        let count = pins::take_u64(saved).ok_or_else(unreadable)?;
        let mut segments = BTreeMap::new();
        for _ in 0..count {
            let number = pins::take_u32(saved).ok_or_else(unreadable)?;
            let segment = Segment {
                blocks: pins::take_u32(saved).ok_or_else(unreadable)?,
                disk_bytes: pins::take_u64(saved).ok_or_else(unreadable)?,
            };
            if number >= next_segment || !file::is_file(&dir.join(name(number))) {
                return Err(Error::corrupt(&dir.join(name(number)), "is missing"));
            }
            segments.insert(number, segment);
        }
        let kept = |number: u32| segments.contains_key(&number);
        pins::remove_others(dir, "blocks-", ".dat", &name, &kept)?;
        Ok(Self {
            dir: dir.to_owned(),
            segments,
            current: None,
            next_segment,
            segment_bytes: SEGMENT_BYTES,
            pins: Pins::restored(next_segment),
        })
    }

    /// Writes a block and says where it is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] above [`MAX_BLOCK_BYTES`]; [`ErrorKind::Full`] and others of the file
    /// system. Nothing is kept then, and it may be tried again.
    pub fn write(&mut self, block: &[u8]) -> Result<BlockId, Error> {
        let Some(length) = u32::try_from(block.len())
            .ok()
            .filter(|_| block.len() <= MAX_BLOCK_BYTES)
        else {
            let what = format!("a block of {} bytes is above the bound", block.len());
            return Err(Error::new(ErrorKind::TooLarge, &self.dir, what));
        };
        let rounded = rounded(length);
        let current = self.current_for(rounded)?;
        let id = BlockId {
            segment: current.number,
            offset: current.end,
        };
        let mut bytes = Vec::with_capacity(HEADER_BYTES + block.len());
        // A length of 0 is that of a block that was taken.
        bytes.extend_from_slice(&(length + 1).to_le_bytes());
        bytes.extend_from_slice(&checksum(id, block).to_le_bytes());
        bytes.extend_from_slice(block);
        current.file.write_all_at(&bytes, u64::from(id.offset))?;
        current.end += rounded;
        let segment = self.segments.entry(id.segment).or_default();
        segment.blocks += 1;
        segment.disk_bytes += u64::from(rounded);
        Ok(id)
    }

    /// Reads a block back and frees it; its id is good no more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] when the bytes are not those that were written, or the block was taken
    /// before (which shows only where no snapshot has it).
    pub fn take(&mut self, id: BlockId) -> Result<Vec<u8>, Error> {
        let path = self.path(id.segment);
        if !self.segments.contains_key(&id.segment) {
            return Err(taken_before(&path, id));
        }
        if self.pins.has(id.segment) {
            let block = read(&File::open_read(path)?, id)?;
            self.forget(id.segment, 0);
            return Ok(block);
        }
        let file = File::open_write(path)?;
        let block = read(&file, id)?;
        let rounded = rounded(u32::try_from(block.len()).unwrap_or(u32::MAX));
        let given_back = file.free_range(u64::from(id.offset), u64::from(rounded));
        if !given_back {
            file.write_all_at(&[0; HEADER_BYTES], u64::from(id.offset))?;
        }
        self.forget(id.segment, if given_back { u64::from(rounded) } else { 0 });
        Ok(block)
    }

    /// Bytes on disk: blocks not yet taken, and those taken whose space could not be given back alone.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        self.segments
            .values()
            .map(|segment| segment.disk_bytes)
            .sum()
    }

    /// The segment that has room for so many bytes; a new one if need be.
    fn current_for(&mut self, bytes: u32) -> Result<&mut Current, Error> {
        let current = match self.current.take() {
            Some(current) if current.end == 0 || current.end + bytes <= self.segment_bytes => {
                current
            }
            full => {
                if let Some(full) = full {
                    self.delete_if_empty(full.number);
                }
                let number = self.next_segment;
                let file = File::create_new(self.dir.join(name(number)))?;
                self.next_segment += 1;
                self.segments.insert(number, Segment::default());
                Current {
                    number,
                    file,
                    end: 0,
                }
            }
        };
        Ok(self.current.insert(current))
    }

    /// Counts a block of a segment as taken.
    fn forget(&mut self, number: u32, given_back: u64) {
        if let Some(segment) = self.segments.get_mut(&number) {
            segment.blocks = segment.blocks.saturating_sub(1);
            segment.disk_bytes = segment.disk_bytes.saturating_sub(given_back);
        }
        let is_current = self
            .current
            .as_ref()
            .is_some_and(|current| current.number == number);
        if !is_current {
            self.delete_if_empty(number);
        }
    }

    /// Deletes a segment that has no block, and is not written to any more.
    fn delete_if_empty(&mut self, number: u32) {
        if self
            .segments
            .get(&number)
            .is_some_and(|segment| segment.blocks == 0)
        {
            self.segments.remove(&number);
            let path = self.path(number);
            self.pins.discard(number, &path);
        }
    }

    fn path(&self, number: u32) -> PathBuf {
        self.dir.join(name(number))
    }
}

impl Drop for BlockFile {
    fn drop(&mut self) {
        for number in std::mem::take(&mut self.segments).into_keys() {
            let path = self.path(number);
            self.pins.discard(number, &path);
        }
    }
}

fn name(number: u32) -> String {
    format!("blocks-{number:06}.dat")
}

/// What a block of `length` bytes takes in its segment.
fn rounded(length: u32) -> u32 {
    (length + HEADER_BYTES as u32).next_multiple_of(UNIT_BYTES)
}

fn checksum(id: BlockId, block: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&id.segment.to_le_bytes());
    hasher.update(&id.offset.to_le_bytes());
    hasher.update(block);
    hasher.finalize()
}

fn read(file: &File, id: BlockId) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; FIRST_READ_BYTES];
    let read = file.read_at_most(&mut bytes, u64::from(id.offset))?;
    bytes.truncate(read);
    let (stored, expected) = header(&bytes).ok_or_else(|| damaged(file, id))?;
    let length = stored
        .checked_sub(1)
        .ok_or_else(|| taken_before(file.path(), id))? as usize;
    if length > MAX_BLOCK_BYTES {
        return Err(damaged(file, id));
    }
    let read = bytes.len().min(HEADER_BYTES + length);
    bytes.resize(HEADER_BYTES + length, 0);
    if let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
        file.read_exact_at(rest, u64::from(id.offset) + read as u64)?;
    }
    bytes.drain(..HEADER_BYTES);
    bytes.shrink_to_fit();
    if checksum(id, &bytes) == expected {
        Ok(bytes)
    } else {
        Err(damaged(file, id))
    }
}

/// The length as stored, and the checksum.
fn header(bytes: &[u8]) -> Option<(u32, u32)> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((
        u32::from_le_bytes(*length),
        u32::from_le_bytes(*rest.first_chunk()?),
    ))
}

fn damaged(file: &File, id: BlockId) -> Error {
    Error::corrupt(
        file.path(),
        format!("holds a damaged block at offset {}", id.offset),
    )
}

fn taken_before(path: &Path, id: BlockId) -> Error {
    Error::corrupt(
        path,
        format!("has no block at offset {}: it was taken before", id.offset),
    )
}
