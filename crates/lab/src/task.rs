//! What a process of the lab's own does: the hidden side of [`OwnProgram`](crate::OwnProgram).

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use crate::costs::{measure_costs, measure_sharing};
use crate::crossover::{CrawlPlan, measure_crawls};
use crate::error::Error;
use crate::machine::pin_to_one_core;
use crate::memory::{Tenant, measure_memory};
use crate::own_program::OwnProgram;
use crate::round::measure_round;
use crate::work::{Amounts, Work};

/// A task, written as JSON in one argument.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    /// Ends at once: the cost of a process.
    Nothing,
    /// Does jobs one after the other.
    Jobs {
        work: Work,
        amounts: Amounts,
        jobs: usize,
    },
    /// Says that it is there and stays until its input is closed.
    Park,
    /// Says that it is there, reads its input to the end, and says so.
    Drain,
    /// Does both kinds of work in every way; on one core where asked for. Prints figures.
    Round {
        amounts: Amounts,
        one_core: bool,
        turn: usize,
    },
    /// The costs of threads, tasks, processes and switches. Prints figures.
    Costs,
    /// The costs of sharing memory. Prints figures.
    Sharing,
    /// The memory of a thread, a task or a process. Prints figures.
    Memory { of: Tenant },
    /// Crawls with analysis and I/O made faster. Prints figures.
    Crawls { plan: CrawlPlan, turn: usize },
}

impl Task {
    pub(crate) fn written(&self) -> String {
        // Plain numbers and names: nothing in it can fail to be JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Does a task that the lab started this program for. `own` is how to start it again, and `written` the
/// argument that came after it.
///
/// # Errors
/// When the argument is no task, or the measurement cannot be made.
pub fn run_task(own: &OwnProgram, written: &str) -> Result<(), Error> {
    let task: Task = serde_json::from_str(written)
        .map_err(|error| Error::task(format!("{written:?} is no task of the lab: {error}")))?;
    let figures = match task {
        Task::Nothing => return Ok(()),
        Task::Jobs {
            work,
            amounts,
            jobs,
        } => return amounts.work(work, jobs),
        Task::Park | Task::Drain => return drain(task == Task::Drain),
        Task::Round {
            amounts,
            one_core,
            turn,
        } => {
            if one_core {
                pin_to_one_core();
            }
            measure_round(own, &amounts, one_core, turn)?
        }
        Task::Costs => measure_costs(own)?,
        Task::Sharing => measure_sharing(own)?,
        Task::Memory { of } => measure_memory(own, of)?,
        Task::Crawls { plan, turn } => measure_crawls(plan, turn)?,
    };
    let json = serde_json::to_string(&figures).unwrap_or_default();
    print(json.as_bytes())
}

/// Says that it is there and reads the input to its end; says that too where asked to.
fn drain(says_so: bool) -> Result<(), Error> {
    print(b"r")?;
    let mut buffer = vec![0; 64 * 1024];
    let mut input = std::io::stdin().lock();
    loop {
        match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return Err(Error::io("cannot read the input", error)),
        }
    }
    if says_so { print(b"d") } else { Ok(()) }
}

fn print(bytes: &[u8]) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|error| Error::io("cannot print", error))
}
