//! The seen set: which fingerprints were there before, within a bound of memory.
//!
//! New fingerprints go into a table in memory (`table`). When it may not grow any more it is written to
//! disk as a sorted run (`run`) behind a Bloom filter in memory (`filter`), and emptied. A look-up asks
//! the table, then a small cache of fingerprints lately found on disk (links that every page of a site
//! has), then the runs whose filter does not rule it out.
//!
//! Four runs of one tier (sizes within a factor of four) are merged into one of the next. So there are
//! at most three runs a tier, logarithmically many in all and never more than `MAX_RUNS`, and a
//! fingerprint is written once a tier.
//!
//! How the bound is held, with M the bound: the first table grows to 0.6 M (with the smaller table that
//! it grows from, M). From the first spill on the table has M/4, the cache M/16, the buffers of a merge
//! 5/64 M, the samples of all runs M/64, and the filters what remains, some 0.58 M: full filters for
//! 0.34 fingerprints a byte of bound. When a filter does not fit, the largest run's is halved, then
//! dropped, and so on: few look-ups then pay with a read of the largest run, and a few reads more are
//! all that the bound costs.

mod filter;
mod run;
mod table;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::pins::{self, Pins};
use filter::Filter;
use run::{Run, RunReader, RunWriter};
use table::{Placed, Table};

/// The least bound of memory of a [`SeenSet`], in bytes; a smaller one is taken for it.
pub const MINIMUM_MEMORY_BYTES: usize = 128 << 10;

/// So many runs of a tier are merged into one of the next, which holds as many times its fingerprints.
const MERGE_WIDTH: usize = 4;
/// More runs than these are merged whatever their sizes.
const MAX_RUNS: usize = 32;
/// What a run costs beside its filter and samples: its struct, its path, its place in the list.
const RUN_OVERHEAD_BYTES: usize = 512;
/// Of a filter, a fingerprint.
const FILTER_BITS_A_KEY: usize = 14;

/// A set of 64-bit fingerprints, exact, within a bound of memory, the rest on disk.
///
/// Guarantee: [`insert`](Self::insert) answers `true` exactly once for every fingerprint, and
/// [`memory_bytes`](Self::memory_bytes) is never above the bound given to [`new`](Self::new), merges
/// and growth included. Nothing here is durable but what a snapshot has ([`save`](Self::save)): it is
/// rebuilt from the commit log.
///
/// The caller hashes, with a key that the web does not know: two URLs with one fingerprint are one to
/// the set. Of 1 billion URLs some 2.7 in 100 crawls would lose one (n²/2⁶⁵). Fingerprints are mixed
/// once more here, so any distribution of them is as fast as another.
///
/// One in memory costs 10 to 15 bytes, one on disk 8, and 1.75 of memory while filters are full. A
/// look-up of one on disk reads it once, rarely twice; one that is new reads with a probability of
/// 0.3 % a run. Most inserts take well under a microsecond, but the one that finds the table full
/// writes it out, and every fourth such merges: it blocks for as long as the disk takes for that.
#[derive(Debug)]
pub struct SeenSet {
    dir: PathBuf,
    bound_bytes: usize,
    table: Table,
    /// The fingerprint that is 0 once mixed: 0 is an empty slot to the table.
    has_zero: bool,
    /// Fingerprints found on disk, each at its own slot; empty until there is a run.
    recent: Vec<u64>,
    /// By ascending number of fingerprints; no two runs share one.
    runs: Vec<Run>,
    next_run: u32,
    keys: u64,
    pins: Pins,
    /// The run that the last snapshot has the table as.
    saved_table: Option<u32>,
}

impl SeenSet {
    /// Makes an empty set that keeps its runs in `dir`, which is made when it is not there. Runs that an
    /// earlier process left there are removed; other files are not touched.
    ///
    /// `memory_bytes` bounds what the set holds in memory; less than [`MINIMUM_MEMORY_BYTES`] is taken
    /// for that.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made, listed or cleared.
    pub fn new(dir: &Path, memory_bytes: usize) -> Result<Self, Error> {
        pins::remove_others(dir, "seen-", ".run", &run::name, &|_| false)?;
        Ok(Self {
            dir: dir.to_owned(),
            bound_bytes: memory_bytes.max(MINIMUM_MEMORY_BYTES),
            table: Table::new(table::SMALLEST_SLOTS),
            has_zero: false,
            recent: Vec::new(),
            runs: Vec::new(),
            next_run: 0,
            keys: 0,
            pins: Pins::default(),
            saved_table: None,
        })
    }

    /// Makes the set as it is part of a snapshot: writes the table beside the runs, appends what
    /// [`restore`](Self::restore) needs to know, and returns the files that have to be on the disk before
    /// it holds ([`sync_files`](crate::sync_files)). Until another snapshot takes its place they stay.
    ///
    /// # Errors
    ///
    /// As the file system has it.
    pub fn save(&mut self, out: &mut Vec<u8>) -> Result<Vec<PathBuf>, Error> {
        let table = match self.table.len() {
            0 => None,
            _ => Some(self.table_as_run()?),
        };
        if let Some(before) = self.saved_table.take() {
            self.pins.discard(before, &self.dir.join(run::name(before)));
        }
        let runs = || self.runs.iter().chain(&table);
        for part in [
            self.keys,
            u64::from(self.has_zero),
            u64::from(self.next_run),
        ] {
            out.extend_from_slice(&part.to_le_bytes());
        }
        out.extend_from_slice(&(runs().count() as u64).to_le_bytes());
        runs().for_each(|run| run.describe(out));
        let unsynced = self.pins.pin(self.next_run);
        let new = runs().filter(|run| run.number() >= unsynced);
        let paths = new.map(|run| run.path().to_owned()).collect();
        self.runs.iter_mut().for_each(Run::pin);
        if let Some(mut table) = table {
            table.pin();
            self.saved_table = Some(table.number());
        }
        Ok(paths)
    }

    /// The snapshot that was saved last is in its place: what only the one before it had is removed.
    pub fn release(&mut self) {
        let dir = &self.dir;
        self.pins.release(|number| dir.join(run::name(number)));
    }

    /// Opens the set of a snapshot: `saved` begins with what [`save`](Self::save) appended. Reads every
    /// run once, for its filter, and holds it against its checksum. Other runs in `dir` are removed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when `saved` cannot be read, or a run is not
    /// what was saved.
    pub fn restore(dir: &Path, memory_bytes: usize, saved: &mut &[u8]) -> Result<Self, Error> {
        let unreadable = || pins::unreadable(dir);
        let keys = pins::take_u64(saved).ok_or_else(unreadable)?;
        let has_zero = pins::take_u64(saved).ok_or_else(unreadable)? != 0;
        let next_run = pins::take_u32(saved).ok_or_else(unreadable)?;
        let count = pins::take_u64(saved).ok_or_else(unreadable)?;
        let mut found = Vec::new();
        for _ in 0..count {
            found.push(run::Described::take(saved).ok_or_else(unreadable)?);
        }
        let kept = |number| found.iter().any(|run| run.number == number);
        pins::remove_others(dir, "seen-", ".run", &run::name, &kept)?;
        let mut set = Self {
            dir: dir.to_owned(),
            bound_bytes: memory_bytes.max(MINIMUM_MEMORY_BYTES),
            table: Table::new(table::SMALLEST_SLOTS),
            has_zero,
            recent: Vec::new(),
            runs: Vec::new(),
            next_run,
            keys,
            pins: Pins::restored(next_run),
            saved_table: None,
        };
        // The largest first: those that follow take their filters' room from it.
        found.sort_by_key(|run| std::cmp::Reverse(run.keys));
        for described in found {
            if set.runs.is_empty() {
                set.begin_runs();
            }
            let filter = set.room_for_filter(described.keys);
            let room = (set.samples_bytes(), set.buffer_bytes());
            let run = Run::open(dir, &described, filter, room.0, room.1)?;
            set.add_run(run);
        }
        while let Some(first) = set.mergeable() {
            set.merge(first)?;
        }
        Ok(set)
    }

    /// Writes the table as a run, which is no part of the set.
    fn table_as_run(&mut self) -> Result<Run, Error> {
        let number = self.next_run;
        self.next_run += 1;
        let mut writer = RunWriter::new(
            &self.dir,
            number,
            self.table.len() as u64,
            None,
            self.samples_bytes(),
            self.buffer_bytes(),
        )?;
        for key in self.table.keys() {
            writer.push(key)?;
        }
        writer.finish()
    }

    /// Makes the table and the cache of a set that has runs.
    fn begin_runs(&mut self) {
        // The larger table of the time before is given back before the next is made.
        self.table = Table::new(0);
        self.table = Table::new(self.bound_bytes / 4 / size_of::<u64>());
        let places = (self.bound_bytes / 16 / size_of::<u64>() + 1).next_power_of_two() / 2;
        self.recent = vec![0; places];
    }

    /// Puts a fingerprint in; `true` when it was not there before, `false` when it was.
    ///
    /// # Errors
    ///
    /// When a run cannot be written or read. The fingerprint is then not in the set, and all others
    /// are: after [`ErrorKind::Full`](crate::ErrorKind::Full) it may be tried again.
    pub fn insert(&mut self, fingerprint: u64) -> Result<bool, Error> {
        let key = mix(fingerprint);
        if key == 0 {
            let new = !std::mem::replace(&mut self.has_zero, true);
            self.keys += u64::from(new);
            return Ok(new);
        }
        if !self.runs.is_empty() && !self.table.contains(key) && self.on_disk(key)? {
            return Ok(false);
        }
        loop {
            match self.table.insert(key) {
                Placed::Present => return Ok(false),
                Placed::New => {
                    self.keys += 1;
                    return Ok(true);
                }
                Placed::Full => self.make_room()?,
            }
        }
    }

    /// Whether a fingerprint is in the set.
    ///
    /// # Errors
    ///
    /// When a run cannot be read.
    pub fn contains(&mut self, fingerprint: u64) -> Result<bool, Error> {
        match mix(fingerprint) {
            0 => Ok(self.has_zero),
            key if self.table.contains(key) => Ok(true),
            key => self.on_disk(key),
        }
    }

    /// How many fingerprints are in the set.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.keys
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys == 0
    }

    /// Bytes of memory that the set holds now: table, cache, filters, samples.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let runs = self
            .runs
            .iter()
            .map(|run| RUN_OVERHEAD_BYTES + run.memory_bytes());
        self.table.memory_bytes() + self.recent.capacity() * size_of::<u64>() + runs.sum::<usize>()
    }

    /// Bytes of the runs on disk.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        self.runs.iter().map(Run::disk_bytes).sum()
    }

    fn on_disk(&mut self, key: u64) -> Result<bool, Error> {
        let place = (key as usize) & self.recent.len().saturating_sub(1);
        if self.recent.get(place) == Some(&key) {
            return Ok(true);
        }
        for run in &self.runs {
            if run.contains(key)? {
                if let Some(recent) = self.recent.get_mut(place) {
                    *recent = key;
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Grows the table, or writes it out when the bound does not let it grow.
    fn make_room(&mut self) -> Result<(), Error> {
        // Growing holds the old table and the new one at once.
        let spare = self.bound_bytes - self.table.memory_bytes();
        let grown = if self.runs.is_empty() {
            self.table.grown(spare)
        } else {
            None
        };
        match grown {
            Some(grown) => {
                self.check_bound(grown.memory_bytes());
                self.table = grown;
            }
            None => self.spill()?,
        }
        Ok(())
    }

    /// Writes the table out as a run and empties it, and merges runs while a tier has too many.
    fn spill(&mut self) -> Result<(), Error> {
        let mut writer = self.begin_run(self.table.len() as u64)?;
        self.check_bound(writer.memory_bytes());
        for key in self.table.keys() {
            writer.push(key)?;
        }
        let run = writer.finish()?;
        if self.runs.is_empty() {
            self.begin_runs();
        } else {
            self.table.clear();
        }
        self.add_run(run);
        while let Some(first) = self.mergeable() {
            self.merge(first)?;
        }
        Ok(())
    }

    /// The first of [`MERGE_WIDTH`] neighbours to merge, if a tier is full or there are too many runs.
    fn mergeable(&self) -> Option<usize> {
        let smallest = self.table.most_keys().max(1) as u64;
        let tier = |run: &Run| (run.keys() / smallest).max(1).ilog(MERGE_WIDTH as u64);
        let full = self
            .runs
            .windows(MERGE_WIDTH)
            .position(|neighbours| neighbours.first().map(tier) == neighbours.last().map(tier));
        full.or((self.runs.len() > MAX_RUNS).then_some(0))
    }

    /// Makes one run of [`MERGE_WIDTH`] neighbours. After an error they are still there, without their
    /// filters.
    fn merge(&mut self, first: usize) -> Result<(), Error> {
        let mut inputs: Vec<Run> = self.runs.drain(first..first + MERGE_WIDTH).collect();
        inputs.iter_mut().for_each(Run::drop_filter);
        match self.merged(&inputs) {
            Ok(run) => {
                for input in inputs.iter().filter(|input| input.is_pinned()) {
                    self.pins.discard(input.number(), input.path());
                }
                self.add_run(run);
            }
            Err(error) => {
                inputs.into_iter().for_each(|run| self.add_run(run));
                return Err(error);
            }
        }
        Ok(())
    }

    fn merged(&mut self, inputs: &[Run]) -> Result<Run, Error> {
        let mut writer = self.begin_run(inputs.iter().map(Run::keys).sum())?;
        let buffer_bytes = self.buffer_bytes();
        let readers = inputs.iter().map(|run| RunReader::new(run, buffer_bytes));
        let mut readers = readers.collect::<Result<Vec<_>, _>>()?;
        let held: usize = inputs.iter().map(Run::memory_bytes).sum();
        let overheads = MERGE_WIDTH * (RUN_OVERHEAD_BYTES + buffer_bytes);
        self.check_bound(held + overheads + writer.memory_bytes());
        while let Some(reader) = readers
            .iter_mut()
            .filter(|reader| reader.next().is_some())
            .min_by_key(|r| r.next())
        {
            let Some(key) = reader.next() else { break };
            writer.push(key)?;
            reader.advance()?;
        }
        writer.finish()
    }

    /// Begins a run of `keys` fingerprints, with as good a filter as the bound has room for.
    fn begin_run(&mut self, keys: u64) -> Result<RunWriter, Error> {
        let filter = self.room_for_filter(keys);
        let number = self.next_run;
        self.next_run += 1;
        RunWriter::new(
            &self.dir,
            number,
            keys,
            filter,
            self.samples_bytes(),
            self.buffer_bytes(),
        )
    }

    /// A filter for a run of `keys` fingerprints. Filters of larger runs are halved or dropped to make
    /// room: a read saved in a small run is worth as much as one in a large run, and costs less memory.
    fn room_for_filter(&mut self, keys: u64) -> Option<Filter> {
        let budget = self.filter_budget();
        let full = usize::try_from(keys)
            .unwrap_or(usize::MAX)
            .saturating_mul(FILTER_BITS_A_KEY)
            / 8;
        let mut wanted = filter::round_up(full);
        let mut may_halve = true;
        let mut held: usize = self.runs.iter().map(Run::filter_bytes).sum();
        while wanted > 0 && held.saturating_add(wanted) > budget {
            let largest = self
                .runs
                .iter_mut()
                .rev()
                .find(|run| run.filter_bytes() > 0);
            match largest.filter(|run| run.keys() > keys) {
                Some(run) => {
                    held -= run.filter_bytes();
                    run.reduce_filter();
                    held += run.filter_bytes();
                }
                None if may_halve => {
                    wanted = filter::round_up(wanted / 2);
                    may_halve = false;
                }
                None => wanted = 0,
            }
        }
        (wanted > 0).then(|| Filter::new(wanted))
    }

    /// What filters may hold: the bound less everything else that is, or will be, held with them.
    fn filter_budget(&self) -> usize {
        let table = self.table.memory_bytes().max(self.bound_bytes / 4);
        let others = table
            + self.bound_bytes / 16
            + (MERGE_WIDTH + 1) * self.buffer_bytes()
            + (MAX_RUNS + 1) * (self.samples_bytes() + RUN_OVERHEAD_BYTES);
        self.bound_bytes.saturating_sub(others)
    }

    fn samples_bytes(&self) -> usize {
        self.bound_bytes / 64 / (MAX_RUNS + 1)
    }

    fn buffer_bytes(&self) -> usize {
        (self.bound_bytes / 64).min(1 << 20)
    }

    /// Asserts, in debug builds, that the set and what is held for a moment beside it are within the bound.
    fn check_bound(&self, beside_bytes: usize) {
        debug_assert!(
            self.memory_bytes() + beside_bytes <= self.bound_bytes,
            "the seen set is above its bound: {} and {beside_bytes} bytes",
            self.memory_bytes()
        );
    }

    fn add_run(&mut self, run: Run) {
        let place = self.runs.partition_point(|other| other.keys() < run.keys());
        self.runs.insert(place, run);
        self.check_bound(0);
    }
}

/// A bijection that makes neighbours strangers (the finalizer of MurmurHash3): no two fingerprints
/// become one, and the table, the filters and the runs may take them for uniform.
fn mix(fingerprint: u64) -> u64 {
    let mut key = fingerprint;
    key = (key ^ (key >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    key = (key ^ (key >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    key ^ (key >> 33)
}
