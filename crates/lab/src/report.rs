//! What the lab found: data for programs, as text by `to_text`, as a page by `to_html`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::crossover::Crossover;
use crate::error::Error;
use crate::machine::Machine;
use crate::measure::{Collected, Measure};
use crate::python::Python;
use crate::round::{Means, figure_name};
use crate::work::{Amounts, Work};

/// The measurements of a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Raised when a field changes its meaning.
    pub version: u32,
    /// What was measured.
    pub machine: Machine,
    /// How much work each way of doing it had.
    pub amounts: Amounts,
    /// Seconds that the whole lab took.
    pub took_seconds: f64,
    /// How far apart repetitions of the same computation were, as a share of the median: what differs by
    /// less than this may not differ at all. None where it could not be measured.
    pub noise: Option<f64>,
    /// Cores that other programs used meanwhile, in the mean. None where the system does not tell.
    pub others_cores: Option<f64>,
    /// Both kinds of work, on one core and on all, in every way.
    pub work: Vec<WorkFigure>,
    /// What it costs to start something and to switch to it.
    pub costs: Vec<Figure>,
    /// What holds how much memory while it waits.
    pub memory: Vec<Figure>,
    /// What it costs to share memory.
    pub sharing: Vec<Figure>,
    /// The Pythons of the machine.
    pub python: Python,
    /// The crossover of a crawl. None where it was not measured.
    pub crossover: Option<Crossover>,
}

/// A kind of work done in one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkFigure {
    /// The kind.
    pub work: Work,
    /// Cores that could be used.
    pub cores: usize,
    /// Whether these are all cores of the machine, rather than one.
    pub on_all_cores: bool,
    /// How it was done.
    pub means: Means,
    /// Seconds for all jobs, with the starting of threads or processes and without that of the async
    /// runtime.
    pub seconds: Measure,
    /// Jobs a second.
    pub jobs_per_second: Measure,
    /// How many times faster than one after the other on the same cores, by the fastest of each: other
    /// programs can only slow them down.
    pub speed_up: f64,
}

/// A figure with its explanation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// A stable name.
    pub name: String,
    /// For a person.
    pub title: String,
    /// What the values are.
    pub unit: Unit,
    /// The values.
    pub value: Measure,
    /// What it means, in a sentence.
    pub meaning: String,
}

/// A unit of a [`Figure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Bytes a second.
    BytesPerSecond,
}

impl Unit {
    /// A value with a unit that suits its size.
    pub fn shown(self, value: f64) -> String {
        let (steps, names): (f64, &[&str]) = match self {
            Self::Seconds => return seconds_shown(value),
            Self::Bytes => (1024.0, &["B", "KiB", "MiB", "GiB"]),
            Self::BytesPerSecond => (1000.0, &["B/s", "kB/s", "MB/s", "GB/s"]),
        };
        let mut value = value;
        let mut name = names.first().copied().unwrap_or_default();
        for next in names.iter().skip(1) {
            if value < steps {
                break;
            }
            value /= steps;
            name = next;
        }
        format!("{} {name}", three_digits(value))
    }
}

fn seconds_shown(value: f64) -> String {
    for (unit, name) in [(1.0, "s"), (1e-3, "ms"), (1e-6, "us")] {
        if value >= unit {
            return format!("{} {name}", three_digits(value / unit));
        }
    }
    format!("{} ns", three_digits(value / 1e-9))
}

fn three_digits(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// A figure of the hidden tasks: its name, title and meaning.
type Entry = (&'static str, &'static str, &'static str);

const COSTS: &[Entry] = &[
    (
        "task_start",
        "start an async task and wait for its end",
        "A task is a piece of memory that the program itself switches to: a thousand are nothing.",
    ),
    (
        "thread_start",
        "start a thread and wait for its end",
        "The system makes a stack and an entry for its scheduler: fine for hundreds, and for work that is kept.",
    ),
    (
        "process_start",
        "start a process and wait for its end",
        "fork and exec: a new address space, into which the program is loaded and linked anew.",
    ),
    (
        "switch_by_futex",
        "switch to another thread that waits (futex)",
        "What every wake-up of a thread costs, on one core.",
    ),
    (
        "switch_by_pipe",
        "switch to another thread by a byte in a pipe",
        "The same with a system call to write and one to read.",
    ),
];

const MEMORY: &[Entry] = &[
    (
        "task_share",
        "an async task that waits",
        "Its own state and a timer.",
    ),
    (
        "thread_share",
        "a thread that waits",
        "The part of its stack that was used; the kernel's own stack for it, often 16 KiB, comes on top.",
    ),
    (
        "process_share",
        "a process that waits",
        "Its share of what it uses (PSS): what several use alike counts in parts.",
    ),
    (
        "process_resident",
        "the same, with all that it shares",
        "What a single one would need (RSS).",
    ),
];

const SHARING: &[Entry] = &[
    (
        "atomic_uncontended",
        "add to an atomic number, alone",
        "The cheapest way to share: one instruction.",
    ),
    (
        "lock_uncontended",
        "lock, add, unlock, alone",
        "A lock that nobody else wants costs little more.",
    ),
    (
        "atomic_contended",
        "add to an atomic number, all cores at once",
        "The cores pass the memory line around: nothing is gained by their number.",
    ),
    (
        "lock_contended",
        "lock, add, unlock, all cores at once",
        "One works, the others wait: what threads pay that share one thing.",
    ),
    (
        "hand_over",
        "hand a buffer to another thread",
        "A pointer goes through a bounded channel; no byte of the buffer is copied.",
    ),
    (
        "copy_in_memory",
        "copy inside a process",
        "What the caches of a core can do, with buffers of 64 KiB.",
    ),
    (
        "copy_by_pipe",
        "copy to another process through a pipe",
        "Each byte goes into the kernel and out again, and both processes are woken for it.",
    ),
    (
        "copy_by_shared_memory",
        "write and read a file in memory (/dev/shm)",
        "Two copies without a pipe's wake-ups; mapped into both processes it would need none, which safe Rust cannot do.",
    ),
];

/// Raised when a field changes its meaning.
const VERSION: u32 = 1;

impl Report {
    pub(crate) fn assemble(
        machine: Machine,
        amounts: Amounts,
        (took_seconds, others_cores): (f64, Option<f64>),
        collected: &Collected,
        python: Python,
    ) -> Self {
        let noise = figure_name(Work::Computing, Means::OneAfterTheOther);
        let noise = collected.measure(&format!("one/{noise}"));
        Self {
            version: VERSION,
            amounts,
            took_seconds,
            others_cores,
            noise: noise.map(|measure| measure.spread()),
            work: work_figures(&amounts, machine.cores, collected),
            costs: figures(COSTS, Unit::Seconds, collected),
            memory: figures(MEMORY, Unit::Bytes, collected),
            sharing: figures(SHARING, Unit::Seconds, collected),
            python,
            crossover: Crossover::of(collected),
            machine,
        }
    }

    /// Writes `lab.json` and `lab.html` into a directory, which is made where it is not there. Files of
    /// those names that are there are replaced.
    ///
    /// # Errors
    /// What the file system has against it.
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        let failed = |error| Error::io(format!("cannot write into {}", directory.display()), error);
        std::fs::create_dir_all(directory).map_err(failed)?;
        std::fs::write(directory.join("lab.json"), self.to_json()).map_err(failed)?;
        std::fs::write(directory.join("lab.html"), self.to_html()).map_err(failed)
    }

    /// The whole report as JSON, with units in the names of the fields.
    pub fn to_json(&self) -> String {
        // Numbers, names and texts: nothing in it can fail to be JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// How a kind of work was done in one way, on one core or on all.
    pub fn work_figure(&self, work: Work, on_all_cores: bool, means: Means) -> Option<&WorkFigure> {
        let is_it = |figure: &&WorkFigure| {
            figure.work == work && figure.on_all_cores == on_all_cores && figure.means == means
        };
        self.work.iter().find(is_it)
    }
}

fn work_figures(amounts: &Amounts, cores: usize, collected: &Collected) -> Vec<WorkFigure> {
    let mut figures = Vec::new();
    for work in Work::ALL {
        for (prefix, on_all_cores) in [("one/", false), ("all/", true)] {
            let measure =
                |means| collected.measure(&format!("{prefix}{}", figure_name(work, means)));
            let Some(alone) = measure(Means::OneAfterTheOther) else {
                continue;
            };
            for means in Means::ALL {
                figures.extend(measure(means).map(|seconds| WorkFigure {
                    work,
                    cores: if on_all_cores { cores } else { 1 },
                    on_all_cores,
                    means,
                    seconds,
                    jobs_per_second: seconds.rate_of(amounts.jobs as f64),
                    speed_up: alone.lowest / seconds.lowest,
                }));
            }
        }
    }
    figures
}

fn figures(entries: &[Entry], unit: Unit, collected: &Collected) -> Vec<Figure> {
    let found = entries.iter().filter_map(|(name, title, meaning)| {
        let value = collected.measure(name)?;
        let is_rate = name.starts_with("copy_");
        Some(Figure {
            name: (*name).to_owned(),
            title: (*title).to_owned(),
            unit: if is_rate { Unit::BytesPerSecond } else { unit },
            value,
            meaning: (*meaning).to_owned(),
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_a_unit_that_suits_their_size() {
        assert_eq!(Unit::Seconds.shown(0.000_012_3), "12.3 us");
        assert_eq!(Unit::Seconds.shown(5e-9), "5.00 ns");
        assert_eq!(Unit::Seconds.shown(0.25), "250 ms");
        assert_eq!(Unit::Bytes.shown(1536.0), "1.50 KiB");
        assert_eq!(Unit::BytesPerSecond.shown(2.5e9), "2.50 GB/s");
    }
}
