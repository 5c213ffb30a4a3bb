//! A sorted run: keys on disk in ascending order, 8 bytes each, little-endian, nothing else.
//!
//! A key is found by interpolation: keys are uniform, so where one is can be computed, and samples of
//! every so many keys (in memory) say between which two. One page of 2 KiB is then read, rarely a second.

use std::path::Path;

use super::FILTER_BITS_A_KEY;
use super::filter::Filter;
use crate::error::Error;
use crate::file::{self, File};
use crate::pins;

const KEY_BYTES: usize = size_of::<u64>();
/// Interpolation is rarely off by more than some dozen keys.
const PAGE_KEYS: u64 = 256;
const PAGE_BYTES: usize = PAGE_KEYS as usize * KEY_BYTES;

/// Steps by interpolation before the search halves what remains: only keys that are not uniform need
/// more.
const INTERPOLATIONS: u32 = 6;

pub(super) fn name(number: u32) -> String {
    format!("seen-{number:06}.run")
}

/// A run on disk; its file goes with it, unless a snapshot has it.
#[derive(Debug)]
pub(super) struct Run {
    file: File,
    number: u32,
    is_pinned: bool,
    keys: u64,
    /// CRC-32 of the file, held against it when it is merged.
    checksum: u32,
    filter: Option<Filter>,
    /// The keys at 0, `sample_keys`, 2 `sample_keys` and so on.
    samples: Vec<u64>,
    sample_keys: u64,
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.is_pinned {
            // Best effort: what stays is removed when the next set is made.
            let _ = file::remove(self.path());
        }
    }
}

/// A run as a snapshot has it.
pub(super) struct Described {
    pub(super) number: u32,
    pub(super) keys: u64,
    checksum: u32,
}

impl Described {
    /// Reads what [`Run::describe`] appended.
    pub(super) fn take(bytes: &mut &[u8]) -> Option<Described> {
        Some(Described {
            number: pins::take_u32(bytes)?,
            keys: pins::take_u64(bytes)?,
            checksum: pins::take_u32(bytes)?,
        })
    }
}

/// A part of a run in which a key must be: its positions, and the keys that bound it.
struct Span {
    start: u64,
    end: u64,
    /// No key of the span is smaller.
    low: u64,
    /// No key of the span is larger.
    high: u64,
}

impl Run {
    /// Opens a run of a snapshot: reads it once, for its filter and its samples.
    pub(super) fn open(
        dir: &Path,
        described: &Described,
        filter: Option<Filter>,
        samples_bytes: usize,
        buffer_bytes: usize,
    ) -> Result<Run, Error> {
        let sample_keys = sample_keys(described.keys, samples_bytes);
        let mut run = Run {
            file: File::open_read(dir.join(name(described.number)))?,
            number: described.number,
            is_pinned: true,
            keys: described.keys,
            checksum: described.checksum,
            filter: None,
            samples: Vec::with_capacity(described.keys.div_ceil(sample_keys) as usize),
            sample_keys,
        };
        let mut filter = filter;
        let mut samples = std::mem::take(&mut run.samples);
        let mut reader = RunReader::new(&run, buffer_bytes)?;
        let mut wait = 0_u64;
        while let Some(key) = reader.next() {
            if wait == 0 {
                samples.push(key);
                wait = sample_keys;
            }
            wait -= 1;
            if let Some(filter) = &mut filter {
                filter.insert(key);
            }
            reader.advance()?;
        }
        run.filter = filter;
        run.samples = samples;
        Ok(run)
    }

    /// Appends what [`Described::take`] reads.
    pub(super) fn describe(&self, out: &mut Vec<u8>) {
        for part in [u64::from(self.number), self.keys, u64::from(self.checksum)] {
            out.extend_from_slice(&part.to_le_bytes());
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn is_pinned(&self) -> bool {
        self.is_pinned
    }

    /// A snapshot has it.
    pub(super) fn pin(&mut self) {
        self.is_pinned = true;
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn keys(&self) -> u64 {
        self.keys
    }

    pub(super) fn disk_bytes(&self) -> u64 {
        self.keys * KEY_BYTES as u64
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.filter_bytes() + self.samples.capacity() * KEY_BYTES
    }

    pub(super) fn filter_bytes(&self) -> usize {
        self.filter.as_ref().map_or(0, Filter::memory_bytes)
    }

    /// Halves a full filter and drops one that is half already: a quarter lets half of all keys pass.
    pub(super) fn reduce_filter(&mut self) {
        let full = self.filter_bytes() as u64 * 8 >= self.keys * (FILTER_BITS_A_KEY as u64 * 3 / 4);
        match &mut self.filter {
            Some(filter) if full => filter.halve(),
            filter => *filter = None,
        }
    }

    pub(super) fn drop_filter(&mut self) {
        self.filter = None;
    }

    pub(super) fn contains(&self, key: u64) -> Result<bool, Error> {
        if self
            .filter
            .as_ref()
            .is_some_and(|filter| !filter.may_contain(key))
        {
            return Ok(false);
        }
        let mut page = [0; PAGE_BYTES];
        let mut span = self.sampled(key);
        let mut steps = 0;
        while span.start < span.end && span.low <= key && key <= span.high {
            let guess = if steps < INTERPOLATIONS {
                span.interpolate(key)
            } else {
                span.middle()
            };
            steps += 1;
            let start = guess / PAGE_KEYS * PAGE_KEYS;
            let count = PAGE_KEYS.min(self.keys - start) as usize;
            let Some(bytes) = page.get_mut(..count * KEY_BYTES) else {
                break;
            };
            self.file.read_exact_at(bytes, start * KEY_BYTES as u64)?;
            let (keys, _) = bytes.as_chunks();
            let first = keys.first().map_or(0, |key| u64::from_le_bytes(*key));
            let last = keys.last().map_or(0, |key| u64::from_le_bytes(*key));
            if key < first {
                span.end = start;
                span.high = first;
            } else if key > last {
                span.start = start + count as u64;
                span.low = last;
            } else {
                let found = keys.binary_search_by_key(&key, |key| u64::from_le_bytes(*key));
                return Ok(found.is_ok());
            }
        }
        Ok(false)
    }

    /// The span between two samples.
    fn sampled(&self, key: u64) -> Span {
        let above = self.samples.partition_point(|&sample| sample <= key);
        let start = above.saturating_sub(1) as u64 * self.sample_keys;
        Span {
            start,
            end: (start + self.sample_keys).min(self.keys),
            low: above
                .checked_sub(1)
                .and_then(|at| self.samples.get(at))
                .copied()
                .unwrap_or(0),
            high: self.samples.get(above).copied().unwrap_or(u64::MAX),
        }
    }
}

impl Span {
    /// Where the key is if keys are spread evenly; within the span.
    fn interpolate(&self, key: u64) -> u64 {
        let part = u128::from(key - self.low) * u128::from(self.end - self.start);
        let ahead = part / (u128::from(self.high - self.low) + 1);
        self.start + u64::try_from(ahead).unwrap_or(0)
    }

    fn middle(&self) -> u64 {
        self.start + (self.end - self.start) / 2
    }
}

/// Writes a run; dropped unfinished, it removes its file.
pub(super) struct RunWriter {
    run: Run,
    expected: u64,
    buffer: Vec<u8>,
    buffer_bytes: usize,
    hasher: crc32fast::Hasher,
}

impl RunWriter {
    /// Begins a run of exactly `keys` keys, with samples of at most `samples_bytes`.
    pub(super) fn new(
        dir: &Path,
        number: u32,
        keys: u64,
        filter: Option<Filter>,
        samples_bytes: usize,
        buffer_bytes: usize,
    ) -> Result<Self, Error> {
        let sample_keys = sample_keys(keys, samples_bytes);
        let run = Run {
            file: File::create_new(dir.join(name(number)))?,
            number,
            is_pinned: false,
            keys: 0,
            checksum: 0,
            filter,
            samples: Vec::with_capacity(keys.div_ceil(sample_keys) as usize),
            sample_keys,
        };
        let buffer = Vec::with_capacity(buffer_bytes);
        Ok(Self {
            run,
            expected: keys,
            buffer,
            buffer_bytes,
            hasher: crc32fast::Hasher::new(),
        })
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.run.memory_bytes() + self.buffer.capacity()
    }

    /// Adds the next larger key.
    pub(super) fn push(&mut self, key: u64) -> Result<(), Error> {
        if self.run.keys.is_multiple_of(self.run.sample_keys) {
            self.run.samples.push(key);
        }
        if let Some(filter) = &mut self.run.filter {
            filter.insert(key);
        }
        if self.buffer.len() + KEY_BYTES > self.buffer_bytes {
            self.flush()?;
        }
        self.buffer.extend_from_slice(&key.to_le_bytes());
        self.run.keys += 1;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Run, Error> {
        self.flush()?;
        debug_assert_eq!(self.run.keys, self.expected);
        self.run.checksum = self.hasher.finalize();
        Ok(self.run)
    }

    fn flush(&mut self) -> Result<(), Error> {
        let written = self.run.keys * KEY_BYTES as u64 - self.buffer.len() as u64;
        self.run.file.write_all_at(&self.buffer, written)?;
        self.hasher.update(&self.buffer);
        self.buffer.clear();
        Ok(())
    }
}

/// A sample of so many keys, so that the samples take at most `samples_bytes`.
fn sample_keys(keys: u64, samples_bytes: usize) -> u64 {
    let most_samples = (samples_bytes / KEY_BYTES).max(1) as u64;
    keys.max(1)
        .div_ceil(most_samples)
        .next_multiple_of(PAGE_KEYS)
}

/// Reads a run from its smallest key to its largest.
pub(super) struct RunReader<'a> {
    run: &'a Run,
    /// Keys read from the file so far.
    read: u64,
    buffer: Vec<u8>,
    /// Where in the buffer the next key is.
    at: usize,
    next: Option<u64>,
    hasher: crc32fast::Hasher,
}

impl<'a> RunReader<'a> {
    pub(super) fn new(run: &'a Run, buffer_bytes: usize) -> Result<Self, Error> {
        let buffer = vec![0; buffer_bytes / KEY_BYTES * KEY_BYTES];
        let at = buffer.len();
        let hasher = crc32fast::Hasher::new();
        let mut reader = Self {
            run,
            read: 0,
            buffer,
            at,
            next: None,
            hasher,
        };
        reader.advance()?;
        Ok(reader)
    }

    /// The key that it stands at; None after the last.
    pub(super) fn next(&self) -> Option<u64> {
        self.next
    }

    /// Goes to the next key.
    pub(super) fn advance(&mut self) -> Result<(), Error> {
        if self.at == self.buffer.len() {
            self.fill()?;
        }
        let key = self
            .buffer
            .get(self.at..)
            .and_then(|rest| rest.first_chunk());
        self.next = key.map(|key| u64::from_le_bytes(*key));
        self.at += if self.next.is_some() { KEY_BYTES } else { 0 };
        Ok(())
    }

    /// Reads on; at the end holds what was read against the checksum.
    fn fill(&mut self) -> Result<(), Error> {
        let left = (self.run.keys - self.read) as usize * KEY_BYTES;
        self.buffer.truncate(left);
        self.run
            .file
            .read_exact_at(&mut self.buffer, self.read * KEY_BYTES as u64)?;
        self.hasher.update(&self.buffer);
        self.read += (self.buffer.len() / KEY_BYTES) as u64;
        self.at = 0;
        if self.buffer.is_empty() && self.hasher.clone().finalize() != self.run.checksum {
            return Err(Error::corrupt(
                self.run.path(),
                "is not what was written to it",
            ));
        }
        Ok(())
    }
}
