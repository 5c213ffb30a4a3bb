//! The lab as a command of its own: `nephila lab` without the crawler.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Parser, Subcommand};
use nephila_lab::{ErrorKind, Lab, OwnProgram, classify, run_task};

/// Threads, processes and async measured on this machine.
#[derive(Parser)]
#[command(name = "nephila-lab", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Measure this machine, in under two minutes
    Run {
        /// Write lab.json and lab.html into this directory
        #[arg(long)]
        out: Option<PathBuf>,
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
        /// Repetitions of everything
        #[arg(long, default_value_t = 5)]
        repetitions: usize,
    },
    /// Run a program and tell whether it waits or computes
    Classify {
        /// Print the classification as JSON
        #[arg(long)]
        json: bool,
        /// The program and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// What the lab starts itself for
    #[command(hide = true)]
    Measure { task: String },
}

fn main() -> ExitCode {
    match run(Arguments::parse().verb) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    let own = OwnProgram::with_arguments(["measure"])?;
    match verb {
        Verb::Measure { task } => run_task(&own, &task)?,
        Verb::Run {
            out,
            json,
            repetitions,
        } => {
            let is_watched = std::io::stderr().is_terminal();
            let lab = Lab::new(own).repetitions(repetitions);
            let report = lab.run(&mut |progress| {
                if is_watched {
                    let _ = writeln!(
                        std::io::stderr(),
                        "{:>3.0} %  {}",
                        progress.done * 100.0,
                        progress.what
                    );
                }
            })?;
            if let Some(out) = out {
                report.write(&out)?;
            }
            say(&if json {
                report.to_json()
            } else {
                report.to_text()
            })?;
        }
        Verb::Classify { json, command } => return classified(&command, json),
    }
    Ok(ExitCode::SUCCESS)
}

/// The verdict goes to standard error, so that the program's own output stays what it is; as JSON it
/// goes there too.
fn classified(command: &[OsString], json: bool) -> anyhow::Result<ExitCode> {
    const NOT_FOUND: u8 = 127;
    // Ctrl-C is the program's to act upon: the verdict comes after it.
    signal_hook::flag::register(
        signal_hook::consts::SIGINT,
        Arc::new(AtomicBool::new(false)),
    )?;
    let found = match classify(command) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotStarted => {
            writeln!(std::io::stderr(), "error: {error}")?;
            return Ok(ExitCode::from(NOT_FOUND));
        }
        Err(error) => return Err(error.into()),
    };
    let text = if json {
        serde_json::to_string_pretty(&found)?
    } else {
        found.to_text()
    };
    writeln!(std::io::stderr(), "{text}")?;
    Ok(ExitCode::from(u8::try_from(found.exit_code).unwrap_or(1)))
}

fn say(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{}", text.trim_end())
}
