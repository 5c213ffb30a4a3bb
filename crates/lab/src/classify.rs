//! Whether a program waits or computes, from the operating system's own accounts.
//!
//! The program runs as it is, with its own input and output. Every few milliseconds each of its threads
//! is looked at, and those of its children: the scheduler's account (`schedstat`) tells exactly how long
//! each ran and how long it was ready and did not run; what it waited for in the rest is told by the
//! system call that it is found in (`/proc/PID/task/TID/syscall`) and the file that the call is about.
//! Nothing is injected, traced or slowed: a program that is looked at 200 times a second does not notice.
//! (Delay accounting, which would tell the time for the disk exactly, is off in most kernels.)
//!
//! The files are read with the standard library: the crates that read them too keep more of them, at a
//! higher cost for each sample, and do not compile on other systems, where this answers that it cannot
//! tell.

mod accounts;
mod advice;
mod call;
mod classification;
mod descriptor;
mod program_state;
mod text;
mod thread_record;
mod verdict;
mod watch;

use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::error::Error;

pub use advice::{Advice, Remedy};
pub use classification::{Classification, ProcessTimes, ThreadTimes};
pub use program_state::State;
pub use verdict::Kind;

use watch::Watch;

/// Shortest time between two looks. The times vary, so that they do not keep step with a program that
/// sleeps for a round number of milliseconds.
const SHORTEST_PAUSE: Duration = Duration::from_micros(3_000);
/// Steps by which the time between two looks varies.
const PAUSE_STEP: Duration = Duration::from_micros(500);
/// A look takes at most this part of a processor: with many threads there are fewer looks.
const LOOK_SHARE: u32 = 15;

/// Runs a program to its end and tells what it did with its time.
///
/// Blocks until the program has ended. Standard input, output and error are those of this process. A
/// process that the program leaves behind is not waited for.
///
/// # Errors
/// [`ErrorKind::NotStarted`](crate::ErrorKind::NotStarted) when there is no such program.
pub fn classify(command: &[OsString]) -> Result<Classification, Error> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::task("no command was given"));
    };
    let strangers = watch::processes();
    let stopwatch = Stopwatch::start();
    let spawned = Command::new(program).args(arguments).spawn();
    let mut child = spawned.map_err(|error| Error::not_started(Path::new(program), error))?;
    let mut watch = Watch::new(child.id(), strangers, stopwatch);
    let status = observe(&mut child, &mut watch)?;
    let words = command
        .iter()
        .map(|word| word.to_string_lossy().into_owned());
    Ok(classification::of(
        words.collect(),
        exit_code(status),
        watch,
    ))
}

/// Looks at the program until it has ended.
fn observe(child: &mut Child, watch: &mut Watch) -> Result<ExitStatus, Error> {
    let mut turn = 0_u32;
    while watch.is_seen && watch.look() {
        let cost = watch.cost_of_a_look();
        turn = turn.wrapping_mul(5).wrapping_add(3) % 16;
        let pause = SHORTEST_PAUSE + PAUSE_STEP * (turn % 8);
        std::thread::sleep(pause.max(cost * LOOK_SHARE));
    }
    let status = child.wait();
    watch.end();
    status.map_err(|error| Error::io("cannot wait for the program", error))
}

/// The code as a shell tells it: 128 and the signal where one ended the program.
fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    const OF_SIGNALS: i32 = 128;
    let signal = status.signal().map(|signal| OF_SIGNALS + signal);
    status.code().or(signal).unwrap_or(1)
}
