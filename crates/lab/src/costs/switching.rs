//! The cost of a context switch: two threads on one core hand over to one another.

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::Thread;

use crate::clock::Stopwatch;
use crate::error::Error;
use crate::machine::pin_to_one_core;
use crate::measure::Figures;

/// Hand-overs there and back.
const ROUNDS: u32 = 4_000;

pub(super) fn measure(figures: &mut Figures) -> Result<(), Error> {
    figures.insert("switch_by_pipe".to_owned(), by_pipe()?);
    figures.insert("switch_by_futex".to_owned(), by_parking()?);
    Ok(())
}

/// A byte through one pipe and back through another: each byte puts one thread to sleep and wakes the
/// other.
fn by_pipe() -> Result<f64, Error> {
    let make = || pipe().map_err(|error| Error::io("cannot make a pipe", error));
    let ((there_out, there_in), (back_out, back_in)) = (make()?, make()?);
    on_one_core(
        move || ping(there_in, back_out),
        move || pong(there_out, back_in),
    )
}

fn ping(mut there: PipeWriter, mut back: PipeReader) -> std::io::Result<()> {
    let mut byte = [0];
    for _ in 0..ROUNDS {
        there.write_all(&byte)?;
        back.read_exact(&mut byte)?;
    }
    Ok(())
}

fn pong(mut there: PipeReader, mut back: PipeWriter) -> std::io::Result<()> {
    let mut byte = [0];
    for _ in 0..ROUNDS {
        there.read_exact(&mut byte)?;
        back.write_all(&byte)?;
    }
    Ok(())
}

/// A turn that is passed by parking and unparking, which on Linux is a futex.
fn by_parking() -> Result<f64, Error> {
    let turn = AtomicU32::new(0);
    let (first, second) = (std::sync::OnceLock::new(), std::sync::OnceLock::new());
    let meet = Barrier::new(2);
    let play =
        |own: &std::sync::OnceLock<Thread>, other: &std::sync::OnceLock<Thread>, mine: u32| {
            let _ = own.set(std::thread::current());
            meet.wait();
            for round in 0..ROUNDS {
                while turn.load(Ordering::Acquire) != round * 2 + mine {
                    std::thread::park();
                }
                turn.store(round * 2 + mine + 1, Ordering::Release);
                if let Some(other) = other.get() {
                    other.unpark();
                }
            }
            Ok(())
        };
    on_one_core(|| play(&first, &second, 0), || play(&second, &first, 1))
}

/// Runs both to their ends on one core and answers the seconds of one hand-over.
fn on_one_core(
    first: impl FnOnce() -> std::io::Result<()> + Send,
    second: impl FnOnce() -> std::io::Result<()> + Send,
) -> Result<f64, Error> {
    let ready = Barrier::new(2);
    let failed = |error| Error::io("threads cannot hand over to one another", error);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            pin_to_one_core();
            ready.wait();
            let stopwatch = Stopwatch::start();
            first().map(|()| stopwatch.seconds())
        });
        let second = scope.spawn(|| {
            pin_to_one_core();
            ready.wait();
            second()
        });
        let panicked = |_| Error::task("a thread panicked");
        let seconds = first.join().map_err(panicked)?.map_err(failed)?;
        second.join().map_err(panicked)?.map_err(failed)?;
        Ok(seconds / f64::from(ROUNDS * 2))
    })
}
