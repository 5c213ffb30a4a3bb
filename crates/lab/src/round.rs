//! One repetition of both kinds of work, done in every way.

use std::process::Child;

use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

use crate::clock::Stopwatch;
use crate::error::Error;
use crate::machine::cores;
use crate::measure::Figures;
use crate::own_program::OwnProgram;
use crate::task::Task;
use crate::work::{Amounts, Work};

/// How jobs are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// By one thread, the next when the one before is done.
    OneAfterTheOther,
    /// By async tasks (tokio) on one thread, or on a thread for each core.
    AsyncTasks,
    /// By threads of the operating system.
    Threads,
    /// By processes, which are started for it.
    Processes,
}

impl Means {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::OneAfterTheOther,
        Self::AsyncTasks,
        Self::Threads,
        Self::Processes,
    ];

    /// As a person says it.
    pub fn title(self) -> &'static str {
        match self {
            Self::OneAfterTheOther => "one after the other",
            Self::AsyncTasks => "async tasks",
            Self::Threads => "threads",
            Self::Processes => "processes",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OneAfterTheOther => "one_after_the_other",
            Self::AsyncTasks => "async_tasks",
            Self::Threads => "threads",
            Self::Processes => "processes",
        }
    }
}

/// The name of a figure of a round.
pub(crate) fn figure_name(work: Work, means: Means) -> String {
    format!("{}/{}", work.name(), means.name())
}

/// Measures every cell once, in seconds. `turn` shifts their order, so that no cell is always measured
/// in the same state of the machine.
pub(crate) fn measure_round(
    own: &OwnProgram,
    amounts: &Amounts,
    one_core: bool,
    turn: usize,
) -> Result<Figures, Error> {
    let runtime = runtime(one_core)?;
    let pairs = Work::ALL
        .into_iter()
        .flat_map(|work| Means::ALL.into_iter().map(move |means| (work, means)));
    let mut cells: Vec<(Work, Means)> = pairs.collect();
    let shift = turn % cells.len().max(1);
    cells.rotate_left(shift);
    let mut figures = Figures::new();
    for (work, means) in cells {
        let stopwatch = Stopwatch::start();
        match means {
            Means::OneAfterTheOther => amounts.work(work, amounts.jobs)?,
            Means::AsyncTasks => by_tasks(&runtime, amounts, work)?,
            Means::Threads => by_threads(amounts, work)?,
            Means::Processes => by_processes(own, amounts, work)?,
        }
        figures.insert(figure_name(work, means), stopwatch.seconds());
    }
    Ok(figures)
}

/// On one core one thread does all tasks; else there is one for each core.
fn runtime(one_core: bool) -> Result<Runtime, Error> {
    let mut builder = if one_core {
        Builder::new_current_thread()
    } else {
        Builder::new_multi_thread()
    };
    let made = builder.worker_threads(cores()).enable_time().build();
    made.map_err(|error| Error::io("cannot start the async runtime", error))
}

fn by_tasks(runtime: &Runtime, amounts: &Amounts, work: Work) -> Result<(), Error> {
    let amounts = *amounts;
    runtime.block_on(async {
        let spawn = |_| tokio::spawn(amounts.work_async(work, amounts.share()));
        let tasks: Vec<_> = (0..amounts.workers).map(spawn).collect();
        for task in tasks {
            task.await
                .map_err(|_| Error::task("an async task panicked"))??;
        }
        Ok(())
    })
}

fn by_threads(amounts: &Amounts, work: Work) -> Result<(), Error> {
    std::thread::scope(|scope| {
        let spawn = |_| scope.spawn(|| amounts.work(work, amounts.share()));
        let threads: Vec<_> = (0..amounts.workers).map(spawn).collect();
        for thread in threads {
            thread
                .join()
                .map_err(|_| Error::task("a thread panicked"))??;
        }
        Ok(())
    })
}

fn by_processes(own: &OwnProgram, amounts: &Amounts, work: Work) -> Result<(), Error> {
    let task = Task::Jobs {
        work,
        amounts: *amounts,
        jobs: amounts.share(),
    };
    let spawn = |_| {
        let spawned = own.command(&task).spawn();
        spawned.map_err(|error| Error::not_started(own.executable(), error))
    };
    let children: Vec<Result<Child, Error>> = (0..amounts.workers).map(spawn).collect();
    // All are waited for before an error is answered: none is left behind.
    let mut ended = Ok(());
    for child in children {
        let waited = child.and_then(|mut child| {
            let status = child.wait();
            status.map_err(|error| Error::io("cannot wait for a process", error))
        });
        match waited {
            Ok(status) if status.success() => {}
            Ok(status) => ended = Err(Error::task(format!("a process failed: {status}"))),
            Err(error) => ended = Err(error),
        }
    }
    ended
}
