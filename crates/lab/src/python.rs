//! The Pythons of this machine: the same work in each, and what their interpreter lock holds back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::measure::{Collected, Figures, Measure};
use crate::work::{Amounts, Work};

/// The work itself. A file, not an argument: processes that are spawned import it again.
const SCRIPT: &str = include_str!("../assets/lab_work.py");
/// Names that are looked for: the usual Python, and builds without an interpreter lock.
const NAMES: [&str; 4] = ["python3", "python3.13t", "python3.14t", "python3.15t"];
/// Workers that Python starts: each process is a whole interpreter.
const WORKERS: usize = 4;

/// What was found out about Python on this machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Python {
    /// Names that were looked for in the search path.
    pub looked_for: Vec<String>,
    /// Those that were found and could be measured.
    pub interpreters: Vec<Interpreter>,
    /// Those that were found and could not be measured, and why.
    pub failed: Vec<String>,
}

/// A Python and its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interpreter {
    /// The name it was found by.
    pub name: String,
    /// Its version, as `3.13.1`.
    pub version: String,
    /// `cpython`, `pypy` ...
    pub implementation: String,
    /// Whether one lock lets one thread at a time run Python.
    pub has_lock: bool,
    /// Jobs and workers.
    pub jobs: usize,
    /// Workers that shared them out.
    pub workers: usize,
    /// Both kinds of work in every way.
    pub work: Vec<PythonWork>,
    /// Seconds to start a worker: a thread or a task until it has ended, a process until it answers.
    pub start_seconds: Vec<PythonCost>,
    /// Resident bytes of a worker; of a process its proportional share.
    pub memory_bytes: Vec<PythonCost>,
    /// What the interpreter lock held back, for each kind of work.
    pub held_back: Vec<HeldBack>,
}

/// A kind of work done in one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PythonWork {
    /// The kind.
    pub work: Work,
    /// `one_after_the_other`, `threads`, `asyncio`, `fork` or `spawn`.
    pub means: String,
    /// Seconds for all jobs.
    pub seconds: Measure,
    /// How many times faster than one after the other, by the fastest of each.
    pub speed_up: f64,
}

/// What a worker of a kind costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PythonCost {
    /// `thread`, `asyncio`, `fork` or `spawn`.
    pub means: String,
    /// Seconds or bytes.
    pub value: Measure,
}

/// How far threads stayed behind processes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldBack {
    /// The kind of work.
    pub work: Work,
    /// How many times faster threads were than one after the other.
    pub threads: f64,
    /// How many times faster processes that are forked were (spawned ones where there is no fork).
    pub processes: f64,
    /// 0: threads gained as much as processes; 1: they gained nothing where processes did. None where
    /// processes gained nothing either.
    pub share: Option<f64>,
}

/// What the script prints.
#[derive(Deserialize)]
struct Printed {
    interpreter: Identity,
    rounds: u64,
    figures: Figures,
}

#[derive(Clone, Deserialize)]
struct Identity {
    version: String,
    implementation: String,
    executable: PathBuf,
    has_lock: bool,
}

/// A Python that was found, while it is measured.
pub(crate) struct Subject {
    name: String,
    program: PathBuf,
    identity: Option<Identity>,
    rounds: u64,
    collected: Collected,
    failed: Option<String>,
}

/// The Pythons that are measured, and the directory of the script.
pub(crate) struct Pythons {
    directory: tempfile::TempDir,
    subjects: Vec<Subject>,
}

impl Pythons {
    /// Looks for them in the search path.
    pub(crate) fn find() -> Result<Self, Error> {
        let failed = |error| Error::io("cannot write the Python script of the lab", error);
        let directory = tempfile::Builder::new()
            .prefix("nephila-lab-")
            .tempdir()
            .map_err(failed)?;
        std::fs::write(directory.path().join("lab_work.py"), SCRIPT).map_err(failed)?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
        let found = NAMES.iter().filter_map(|name| {
            let program = directories
                .iter()
                .map(|at| at.join(name))
                .find(|path| path.is_file())?;
            Some(Subject::new(name, program))
        });
        let subjects = found.collect();
        Ok(Self {
            directory,
            subjects,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    /// One repetition with each. What fails is told in the report, and not tried again.
    pub(crate) fn repeat(&mut self, amounts: &Amounts, turn: usize) {
        let script = self.directory.path().join("lab_work.py");
        let mut known: BTreeSet<PathBuf> = BTreeSet::new();
        for subject in self
            .subjects
            .iter_mut()
            .filter(|subject| subject.failed.is_none())
        {
            if let Err(why) = subject.repeat(&script, amounts, turn) {
                subject.failed = Some(why);
            }
            // Two names of one interpreter are measured once.
            let executable = subject
                .identity
                .as_ref()
                .map(|identity| identity.executable.clone());
            if executable.is_some_and(|executable| !known.insert(executable)) {
                subject.failed = Some(String::new());
            }
        }
    }

    pub(crate) fn report(self, amounts: &Amounts) -> Python {
        let failed = self.subjects.iter().filter_map(|subject| {
            let why = subject.failed.as_ref().filter(|why| !why.is_empty())?;
            Some(format!("{}: {why}", subject.name))
        });
        Python {
            looked_for: NAMES.map(str::to_owned).to_vec(),
            failed: failed.collect(),
            interpreters: self
                .subjects
                .iter()
                .filter_map(|subject| subject.report(amounts))
                .collect(),
        }
    }
}

/// Jobs for Python: half of those of the others.
fn jobs(amounts: &Amounts) -> usize {
    amounts.jobs / 2 / WORKERS * WORKERS
}

impl Subject {
    fn new(name: &str, program: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            program,
            identity: None,
            rounds: 0,
            collected: Collected::default(),
            failed: None,
        }
    }

    fn repeat(&mut self, script: &Path, amounts: &Amounts, turn: usize) -> Result<(), String> {
        let numbers = [
            amounts.wait_micros,
            self.rounds,
            jobs(amounts) as u64,
            WORKERS as u64,
            turn as u64,
        ];
        let output = Command::new(&self.program)
            .args(["-W", "ignore"])
            .arg(script)
            .args(numbers.map(|number| number.to_string()))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cannot be started: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().last().unwrap_or_default();
            return Err(format!("failed ({}): {last}", output.status));
        }
        let printed: Printed = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("printed no figures: {error}"))?;
        self.rounds = printed.rounds;
        self.identity = Some(printed.interpreter);
        self.collected.add("", printed.figures);
        Ok(())
    }

    fn report(&self, amounts: &Amounts) -> Option<Interpreter> {
        let identity = self.identity.as_ref().filter(|_| self.failed.is_none())?;
        let work: Vec<PythonWork> = Work::ALL
            .into_iter()
            .flat_map(|work| self.work(work))
            .collect();
        let held_back = Work::ALL
            .into_iter()
            .filter_map(|kind| held_back(kind, &work));
        Some(Interpreter {
            name: self.name.clone(),
            version: identity.version.clone(),
            implementation: identity.implementation.clone(),
            has_lock: identity.has_lock,
            jobs: jobs(amounts),
            workers: WORKERS,
            held_back: held_back.collect(),
            start_seconds: self.costs("start/", ""),
            memory_bytes: self.costs("memory/", "_share"),
            work,
        })
    }

    fn work(&self, work: Work) -> Vec<PythonWork> {
        let measure = |means: &str| self.collected.measure(&format!("{}/{means}", work.name()));
        let Some(alone) = measure("one_after_the_other") else {
            return Vec::new();
        };
        ["one_after_the_other", "asyncio", "threads", "fork", "spawn"]
            .into_iter()
            .filter_map(|means| {
                let seconds = measure(means)?;
                Some(PythonWork {
                    work,
                    means: means.to_owned(),
                    seconds,
                    speed_up: alone.lowest / seconds.lowest,
                })
            })
            .collect()
    }

    fn costs(&self, prefix: &str, suffix: &str) -> Vec<PythonCost> {
        let cost = |means: &str| {
            let value = self
                .collected
                .measure(&format!("{prefix}{means}{suffix}"))?;
            let means = means.to_owned();
            Some(PythonCost { means, value })
        };
        ["asyncio", "thread", "fork", "spawn"]
            .into_iter()
            .filter_map(cost)
            .collect()
    }
}

/// What processes gained and threads did not: (P - T) / (P - 1), where P and T are their speed-ups.
fn held_back(kind: Work, work: &[PythonWork]) -> Option<HeldBack> {
    let speed_up = |means: &str| {
        let found = work
            .iter()
            .find(|cell| cell.work == kind && cell.means == means);
        found.map(|cell| cell.speed_up)
    };
    let threads = speed_up("threads")?;
    let processes = speed_up("fork").or_else(|| speed_up("spawn"))?;
    // Below this processes gain nothing worth telling: there is nothing to hold back.
    const GAIN_WORTH_TELLING: f64 = 1.15;
    let gained = processes >= GAIN_WORTH_TELLING;
    let share = gained.then(|| ((processes - threads) / (processes - 1.0)).clamp(0.0, 1.0));
    Some(HeldBack {
        work: kind,
        threads,
        processes,
        share,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(means: &str, speed_up: f64) -> PythonWork {
        let seconds = Measure::of(&[1.0]).unwrap();
        PythonWork {
            work: Work::Computing,
            means: means.to_owned(),
            seconds,
            speed_up,
        }
    }

    #[test]
    fn what_the_lock_holds_back_is_what_processes_gain_and_threads_do_not() {
        let share = |threads: f64, fork: f64| {
            let work = [cell("threads", threads), cell("fork", fork)];
            held_back(Work::Computing, &work).unwrap().share
        };
        assert_eq!(share(1.0, 2.0), Some(1.0));
        assert_eq!(share(2.0, 2.0), Some(0.0));
        assert_eq!(share(2.5, 4.0), Some(0.5));
        assert_eq!(share(0.8, 1.0), None);
        assert_eq!(held_back(Work::Waiting, &[cell("threads", 1.0)]), None);
    }
}
