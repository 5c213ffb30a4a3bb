//! `nephila lab`: threads, processes and async measured on this machine, and programs classified.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use clap::ArgMatches;
use nephila_lab::{ErrorKind, Lab, OwnProgram, Progress, classify, run_task};
use signal_hook::consts::SIGINT;

use crate::Exit;
use crate::arguments::{is_given, value};
use crate::terminal::{complain, is_watched, safe, safe_json, safe_lines, say};

/// What a shell answers for a program that is not there.
const NOT_FOUND: i32 = 127;

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    match matches.subcommand() {
        Some(("classify", matches)) => classify_program(matches),
        Some(("measure", matches)) => {
            run_task(&own()?, value(matches, "task").unwrap_or_default())?;
            Ok(Exit::Done)
        }
        _ => measure_machine(matches),
    }
}

/// How the lab starts this program again.
fn own() -> Result<OwnProgram, nephila_lab::Error> {
    OwnProgram::with_arguments(["lab", "measure"])
}

fn measure_machine(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let shown = is_watched();
    let mut lab = Lab::new(own()?);
    if let Some(repetitions) = matches.get_one::<u64>("repetitions") {
        lab = lab.repetitions(*repetitions as usize);
    }
    let report = lab.run(&mut |progress| {
        if shown {
            show(&progress);
        }
    });
    if shown {
        clear();
    }
    let report = report?;
    if let Some(out) = value(matches, "out") {
        let directory = Path::new(out);
        report.write(directory)?;
        for name in ["lab.json", "lab.html"] {
            complain(&format!(
                "written: {}",
                safe(&directory.join(name).display().to_string())
            ));
        }
    }
    match is_given(matches, "json") {
        true => say(&safe_json(&report.to_json()))?,
        false => say(safe_lines(&report.to_text()).trim_end())?,
    }
    Ok(Exit::Done)
}

/// One line that is written over by the next.
fn show(progress: &Progress) {
    let percent = progress.done * 100.0;
    let _ = write!(
        std::io::stderr(),
        "\r\x1b[2K{percent:>3.0} %  {}",
        progress.what
    );
}

fn clear() {
    let _ = write!(std::io::stderr(), "\r\x1b[2K");
}

/// Runs the program to its end, tells the verdict on standard error, and ends with the program's code.
fn classify_program(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let words = matches
        .get_many::<OsString>("command")
        .into_iter()
        .flatten();
    let command: Vec<OsString> = words.cloned().collect();
    // Ctrl-C reaches the program too, and is its to act upon: the verdict comes after it.
    signal_hook::flag::register(SIGINT, Arc::new(AtomicBool::new(false)))
        .context("cannot watch for signals")?;
    let found = match classify(&command) {
        Err(error) if error.kind() == ErrorKind::NotStarted => {
            complain(&format!("error: {}", safe(&error.to_string())));
            leave(NOT_FOUND);
        }
        found => found?,
    };
    if is_given(matches, "json") {
        complain(&safe_json(&serde_json::to_string(&found)?));
    } else {
        complain(&format!("\n{}", safe_lines(&found.to_text()).trim_end()));
    }
    leave(found.exit_code)
}

/// Ends with the code of another program, which [`Exit`] has no names for.
#[expect(
    clippy::disallowed_methods,
    reason = "the command decides how the process ends"
)]
fn leave(code: i32) -> ! {
    std::process::exit(code)
}
