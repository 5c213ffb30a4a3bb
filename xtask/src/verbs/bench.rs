//! `cargo xtask bench`.

use std::path::Path;
use std::process::Command;

use super::Verb;
use crate::process;
use crate::valgrind::{self, Valgrind};

pub(super) const VERB: Verb = Verb {
    name: "bench",
    summary: "run a measurement of bench/ in a release build",
    help: "cargo xtask bench [NAME [ARGUMENTS]]

Builds the command, the test web and the measurements, then runs `cargo run --release -p nephila-bench -- NAME
ARGUMENTS`. Without a name the measurements tell what there is.
",
    run,
};

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let built = [
        "build",
        "--quiet",
        "--release",
        "-p",
        "nephila-cli",
        "-p",
        "nephila-sim",
        "-p",
        "nephila-bench",
    ];
    process::run(process::cargo().args(built))?;
    let mut command = measurement(arguments);
    if arguments.first().is_some_and(|name| name == "counts") {
        valgrind::provide()?.tell(&mut command);
    }
    process::run(&mut command)
}

fn measurement(arguments: &[String]) -> Command {
    const FIXED: [&str; 8] = [
        "run",
        "--quiet",
        "--release",
        "-p",
        "nephila-bench",
        "--bin",
        "nephila-bench",
        "--",
    ];
    let mut command = process::cargo();
    command.args(FIXED).args(arguments);
    command
}

/// Holds the instructions of fixed work against those on file; `release` has the built commands.
pub(super) fn check_counts(valgrind: &Valgrind, release: &Path) -> anyhow::Result<()> {
    let mut command = measurement(&["counts".to_owned(), "--check".to_owned()]);
    command
        .env("NEPHILA_BIN", release.join("nephila"))
        .env("NEPHILA_SIM_BIN", release.join("nephila-sim"));
    valgrind.tell(&mut command);
    process::run(&mut command)
}
