//! `cargo xtask python`: the virtual environment that tests read outputs with.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::{Verb, no_arguments};
use crate::failure;
use crate::process;
use crate::repository;
use crate::sites::lock;

pub(super) const VERB: Verb = Verb {
    name: "python",
    summary: "make the virtual environment that tests read outputs with",
    help: "cargo xtask python

Makes .python/ from python3 with the packages of xtask/python/requirements.txt, from PyPI: readers
of Parquet, CSV and WARC that are not ours, and an S3 server for tests. Prints its interpreter.
Where it is there already, of the same requirements, nothing is done. With NEPHILA_PYTHON set to an
interpreter, that one is used and nothing is made.
Exit code 3: this machine cannot give it (no python3, no PyPI): tests skip.
",
    run,
};

fn run(arguments: &[String]) -> anyhow::Result<()> {
    no_arguments("python", arguments)?;
    println!("{}", provide()?.display());
    Ok(())
}

/// The interpreter, made where it is not there.
pub(super) fn provide() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os("NEPHILA_PYTHON").filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(named));
    }
    let home = repository::root().join(".python");
    let _held = lock::take(&home)?;
    let requirements = repository::root().join("xtask/python/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements)
        .with_context(|| format!("reading {}", requirements.display()))?;
    let interpreter = home.join("bin/python");
    if is_made(&home, &wanted) && runs(&interpreter) {
        return Ok(interpreter);
    }
    eprintln!("==> {} from {}", home.display(), requirements.display());
    make(&home, &requirements)?;
    let stamp = stamp(&home);
    std::fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))?;
    Ok(interpreter)
}

/// What the environment was made from, written when it was whole.
fn stamp(home: &Path) -> PathBuf {
    home.join("made-from.txt")
}

fn is_made(home: &Path, wanted: &str) -> bool {
    std::fs::read_to_string(stamp(home)).is_ok_and(|made| made == wanted)
}

/// The interpreter is a link to the machine's: an update may have taken it away.
fn runs(interpreter: &Path) -> bool {
    process::output(Command::new(interpreter).args(["-c", ""])).is_ok()
}

fn make(home: &Path, requirements: &Path) -> anyhow::Result<()> {
    let python = process::find_program("python3")
        .ok_or_else(|| failure::unavailable("there is no python3 in PATH"))?;
    let unavailable = |error: anyhow::Error| failure::unavailable(format!("{error:#}"));
    let mut venv = Command::new(python);
    venv.args(["-m", "venv"]).arg(home);
    process::output(&mut venv).map_err(unavailable)?;
    let mut install = Command::new(home.join("bin/python"));
    install
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args([
            "--no-input",
            "--timeout",
            "30",
            "--retries",
            "2",
            "--only-binary",
            ":all:",
            "-r",
        ])
        .arg(requirements);
    process::output(&mut install).map_err(unavailable)?;
    Ok(())
}
