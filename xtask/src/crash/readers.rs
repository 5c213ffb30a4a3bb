//! Readers that others wrote, where a Python that has them is there: pyarrow and warcio.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::repository;

const SCRIPT: &str = include_str!("readers.py");

/// One Python process for the whole run: starting it takes longer than a kill.
pub(super) struct Readers(Option<Mutex<Process>>);

struct Process {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Readers {
    /// Starts them; without a Python that has the packages there are none.
    pub(super) fn start() -> Readers {
        Readers(started().ok().map(Mutex::new))
    }

    /// None of them.
    pub(super) fn none() -> Readers {
        Readers(None)
    }

    /// Whether they are there.
    pub(super) fn are_there(&self) -> bool {
        self.0.is_some()
    }

    /// What the reader of this form (`parquet` or `warc`) finds in a file; nothing without readers.
    pub(super) fn read(&self, form: &str, path: &Path) -> anyhow::Result<Option<Vec<Value>>> {
        let Some(process) = &self.0 else {
            return Ok(None);
        };
        let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
        process.read(form, path).map(Some)
    }
}

impl Process {
    fn read(&mut self, form: &str, path: &Path) -> anyhow::Result<Vec<Value>> {
        writeln!(self.ask, "{form}\t{}", path.display())?;
        self.ask.flush()?;
        let mut values = Vec::new();
        loop {
            let mut line = String::new();
            self.answers.read_line(&mut line)?;
            match line.trim_end() {
                "" => bail!("the readers have ended"),
                "." => return Ok(values),
                line => match line.strip_prefix('!') {
                    Some(wrong) => bail!("{wrong}"),
                    None => values.push(serde_json::from_str(line)?),
                },
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `NEPHILA_PYTHON`, else the environment in `.python` of the repository.
fn python() -> PathBuf {
    match std::env::var_os("NEPHILA_PYTHON") {
        Some(path) if !path.is_empty() => PathBuf::from(path),
        _ => repository::root().join(".python/bin/python"),
    }
}

fn started() -> anyhow::Result<Process> {
    let has_packages = Command::new(python())
        .args(["-c", "import pyarrow.parquet, warcio"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    anyhow::ensure!(has_packages.success(), "it has no pyarrow or no warcio");
    let mut child = Command::new(python())
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let ask = child.stdin.take().context("no standard input")?;
    let answers = BufReader::new(child.stdout.take().context("no standard output")?);
    Ok(Process {
        child,
        ask,
        answers,
    })
}
