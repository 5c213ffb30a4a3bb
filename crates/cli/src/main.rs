//! The command `nephila`: a thin shell around the library. One file a verb.

mod arguments;
mod interrupt;
mod progress_display;
mod summary_text;
mod terminal;
mod verbs;

use std::process::ExitCode;

use anyhow::Error;
use nephila::ErrorKind;

/// Measured: glibc's allocator takes some 12 % of a page's CPU time, most of it in the strings of
/// links. Without huge pages, which it would ask for: with them 1,050 connections that only wait hold
/// 93 MiB, without 51. The figures are in `docs/measurements.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit codes, as documented in `docs/command.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Done.
    Done = 0,
    /// The crawl cannot go on.
    Failed = 1,
    /// The command line, the configuration or a seed is wrong.
    Usage = 2,
    /// No seed could be fetched.
    NoSeed = 3,
    /// Interrupted by Ctrl-C or a signal.
    Interrupted = 130,
}

/// Where the process is to die, for the crash harness: `WHEN:ACT:FILE:N`, as [`nephila::kill_at`] has it.
const KILL_AT: &str = "NEPHILA_KILL_AT";

fn main() -> ExitCode {
    if let Err(wrong) = arm_kill() {
        terminal::complain(&format!("error: {KILL_AT}: {wrong}"));
        return ExitCode::from(Exit::Usage as u8);
    }
    let matches = match arguments::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version are no errors: clap prints them to standard output.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            let _ = error.print();
            return ExitCode::from(exit as u8);
        }
    };
    match verbs::run(&matches) {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) if is_closed_pipe(&error) => ExitCode::from(Exit::Done as u8),
        Err(error) => {
            terminal::complain(&format!(
                "error: {}",
                terminal::safe_lines(&describe(&error))
            ));
            ExitCode::from(exit_of(&error) as u8)
        }
    }
}

/// Arms the death at a named file operation, where one is asked for.
fn arm_kill() -> Result<(), String> {
    let Some(point) = std::env::var_os(KILL_AT).filter(|point| !point.is_empty()) else {
        return Ok(());
    };
    let point = point.to_str().ok_or("it is no text")?;
    nephila::kill_at(point)
}

/// The reader of our output has gone, as `head` does: not our error.
fn is_closed_pipe(error: &Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

fn exit_of(error: &Error) -> Exit {
    let mut causes = error.chain();
    let found = causes.find_map(|cause| cause.downcast_ref::<nephila::Error>());
    match found.map(nephila::Error::kind) {
        Some(ErrorKind::Usage | ErrorKind::Exists | ErrorKind::NotACrawl) => Exit::Usage,
        _ => Exit::Failed,
    }
}

/// The error, and its causes where they say more.
fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}
