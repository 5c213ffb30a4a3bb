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
/// links; the figures are in `docs/measurements.md`.
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

fn main() -> ExitCode {
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

/// The reader of our output has gone, as `head` does: not our error.
fn is_closed_pipe(error: &Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

fn exit_of(error: &Error) -> Exit {
    match error
        .downcast_ref::<nephila::Error>()
        .map(nephila::Error::kind)
    {
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
