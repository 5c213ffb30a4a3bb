//! What sharing memory costs: locks, atomics, and copies between threads and processes.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Barrier, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::error::Error;
use crate::machine::cores;
use crate::measure::Figures;
use crate::own_program::OwnProgram;
use crate::task::Task;

const UNCONTENDED: u32 = 1_000_000;
/// How long all threads want the same thing: many turns of the scheduler, which on a busy machine may let
/// one of them wait for some milliseconds.
const CONTENDED: Duration = Duration::from_millis(60);
const HAND_OVERS: u32 = 50_000;
/// Bytes that are copied at once: what a pipe holds.
const PIECE: usize = 64 * 1024;
/// Pieces that are copied: 64 MiB.
const PIECES: usize = 1_024;
/// Pieces of the file in memory, which are written and read over and over.
const FILE_PIECES: usize = 64;
/// A file system that is memory, on Linux.
const SHARED_MEMORY: &str = "/dev/shm";

/// Seconds of an operation, and bytes a second of a copy.
pub(crate) fn measure_sharing(own: &OwnProgram) -> Result<Figures, Error> {
    let mut figures = Figures::new();
    let mut add = |name: &str, value: f64| figures.insert(name.to_owned(), value);
    let (lock, atomic) = (Mutex::new(0_u64), AtomicU64::new(0));
    let lock_once = || *lock.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    let add_once = || {
        atomic.fetch_add(1, Ordering::SeqCst);
    };
    add("lock_uncontended", uncontended(lock_once));
    add("atomic_uncontended", uncontended(add_once));
    add("lock_contended", contended(lock_once));
    add("atomic_contended", contended(add_once));
    add("hand_over", hand_over());
    add("copy_in_memory", copy_in_memory());
    add("copy_by_pipe", copy_by_pipe(own)?);
    if let Some(rate) = copy_by_file()? {
        add("copy_by_shared_memory", rate);
    }
    Ok(figures)
}

fn uncontended(operation: impl Fn()) -> f64 {
    let stopwatch = Stopwatch::start();
    for _ in 0..UNCONTENDED {
        operation();
    }
    stopwatch.seconds() / f64::from(UNCONTENDED)
}

/// Seconds that pass for one operation of any thread while a thread on each core (two at least) does it all
/// the time.
fn contended(operation: impl Fn() + Sync) -> f64 {
    /// Operations between two looks at the time.
    const BATCH: u32 = 256;
    let threads = cores().max(2);
    let start = Barrier::new(threads);
    let work = || {
        start.wait();
        let stopwatch = Stopwatch::start();
        let mut operations = 0.0;
        while stopwatch.elapsed() < CONTENDED {
            for _ in 0..BATCH {
                operation();
            }
            operations += f64::from(BATCH);
        }
        operations / stopwatch.seconds()
    };
    let rate: f64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let rates = threads.into_iter().filter_map(|thread| thread.join().ok());
        rates.sum()
    });
    1.0 / rate
}

/// Seconds to hand a buffer to another thread through a bounded channel: a pointer moves, no byte is
/// copied.
fn hand_over() -> f64 {
    const WAITING_AT_MOST: usize = 64;
    let (sender, receiver) = sync_channel::<Box<[u8; 64]>>(WAITING_AT_MOST);
    let stopwatch = Stopwatch::start();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..HAND_OVERS {
                if sender.send(Box::new([0; 64])).is_err() {
                    break;
                }
            }
        });
        receiver.iter().for_each(|buffer| {
            black_box(buffer);
        });
    });
    stopwatch.seconds() / f64::from(HAND_OVERS)
}

/// Bytes a second from one part of memory to another. They lie half a page apart from a multiple of a
/// page: where they do not, some processors copy at a fraction of their speed (glibc bug 30994).
fn copy_in_memory() -> f64 {
    const HALF_A_PAGE: usize = 2_048;
    let mut memory = vec![7_u8; PIECE * 2 + HALF_A_PAGE];
    let stopwatch = Stopwatch::start();
    for _ in 0..PIECES {
        black_box(&mut memory).copy_within(..PIECE, PIECE + HALF_A_PAGE);
    }
    (PIECE * PIECES) as f64 / stopwatch.seconds()
}

/// Bytes a second through a pipe into another process.
fn copy_by_pipe(own: &OwnProgram) -> Result<f64, Error> {
    let mut command = own.command(&Task::Drain);
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| Error::not_started(own.executable(), error))?;
    let (Some(mut into), Some(mut out_of)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Error::task("a process has no pipes"));
    };
    let piece = vec![7_u8; PIECE];
    let copy = || -> std::io::Result<f64> {
        let mut sign = [0];
        out_of.read_exact(&mut sign)?;
        let stopwatch = Stopwatch::start();
        for _ in 0..PIECES {
            into.write_all(&piece)?;
        }
        drop(into);
        out_of.read_exact(&mut sign)?;
        Ok(stopwatch.seconds())
    };
    let copied = copy();
    let waited = child.wait();
    let failed = |error| Error::io("cannot copy through a pipe", error);
    waited.map_err(failed)?;
    Ok((PIECE * PIECES) as f64 / copied.map_err(failed)?)
}

/// Bytes a second into and out of a file in memory, which every process may open: each byte is copied
/// twice, by write and by read. (Mapping it would save both copies, and cannot be done in safe Rust:
/// another process could change what a reference says is constant.) Nothing where there is no such
/// file system.
fn copy_by_file() -> Result<Option<f64>, Error> {
    let directory = Path::new(SHARED_MEMORY);
    if !directory.is_dir() {
        return Ok(None);
    }
    let Ok(mut file) = tempfile::tempfile_in(directory) else {
        return Ok(None);
    };
    let seconds = write_and_read(&mut file);
    let seconds =
        seconds.map_err(|error| Error::io(format!("cannot use {SHARED_MEMORY}"), error))?;
    Ok(Some((PIECE * PIECES) as f64 / seconds))
}

fn write_and_read(file: &mut File) -> std::io::Result<f64> {
    let mut piece = vec![7_u8; PIECE];
    let mut pass = |file: &mut File| -> std::io::Result<()> {
        file.seek(SeekFrom::Start(0))?;
        (0..FILE_PIECES).try_for_each(|_| file.write_all(&piece))?;
        file.seek(SeekFrom::Start(0))?;
        (0..FILE_PIECES).try_for_each(|_| file.read_exact(&mut piece))
    };
    // The first pass makes the pages.
    pass(file)?;
    let stopwatch = Stopwatch::start();
    for _ in 0..PIECES / FILE_PIECES {
        pass(file)?;
    }
    Ok(stopwatch.seconds())
}
