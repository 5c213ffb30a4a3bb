//! The memory of a thread, an async task and a process.

use std::process::{Child, Stdio};
use std::sync::Barrier;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;

use crate::error::Error;
use crate::machine::kilobytes;
use crate::measure::Figures;
use crate::own_program::OwnProgram;
use crate::task::Task;

const THREADS: usize = 500;
const TASKS: usize = 50_000;
const PROCESSES: usize = 10;

/// What holds memory while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tenant {
    Thread,
    Task,
    Process,
}

/// Bytes that one holds: those resident, and its proportional share of those that are shared. No
/// figures where the system does not tell.
///
/// The memory of the kernel (a thread's stack in it, page tables) is in neither.
pub(crate) fn measure_memory(own: &OwnProgram, of: Tenant) -> Result<Figures, Error> {
    match of {
        Tenant::Thread => of_threads(),
        Tenant::Task => of_tasks(),
        Tenant::Process => of_processes(own),
    }
}

/// Resident bytes of a process, and its proportional share.
#[derive(Clone, Copy, Default)]
struct Resident {
    resident: u64,
    share: u64,
}

impl Resident {
    /// Of `self` or a process by its number; nothing where the system does not tell.
    fn read(process: &str) -> Option<Self> {
        let path = format!("/proc/{process}/smaps_rollup");
        Some(Self {
            resident: kilobytes(&path, "Rss")? * 1024,
            share: kilobytes(&path, "Pss")? * 1024,
        })
    }
}

fn grown(name: &str, count: usize, before: Option<Resident>, after: Option<Resident>) -> Figures {
    let mut figures = Figures::new();
    if let (Some(before), Some(after)) = (before, after) {
        let each = |before: u64, after: u64| after.saturating_sub(before) as f64 / count as f64;
        figures.insert(
            format!("{name}_resident"),
            each(before.resident, after.resident),
        );
        figures.insert(format!("{name}_share"), each(before.share, after.share));
    }
    figures
}

fn of_threads() -> Result<Figures, Error> {
    let (there, measured) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    let wait = || {
        there.wait();
        measured.wait();
    };
    let before = Resident::read("self");
    let after = std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(wait);
        }
        there.wait();
        let after = Resident::read("self");
        measured.wait();
        after
    });
    Ok(grown("thread", THREADS, before, after))
}

fn of_tasks() -> Result<Figures, Error> {
    const LONGER_THAN_ANY_MEASUREMENT: Duration = Duration::from_secs(3_600);
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| Error::io("cannot start the async runtime", error))?;
    let before = Resident::read("self");
    let after = runtime.block_on(async {
        for _ in 0..TASKS {
            tokio::spawn(tokio::time::sleep(LONGER_THAN_ANY_MEASUREMENT));
        }
        // Each has its timer once it was polled.
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        Resident::read("self")
    });
    Ok(grown("task", TASKS, before, after))
}

fn of_processes(own: &OwnProgram) -> Result<Figures, Error> {
    let mut children: Vec<Child> = Vec::with_capacity(PROCESSES);
    for _ in 0..PROCESSES {
        let mut command = own.command(&Task::Park);
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        match spawned {
            Ok(child) => children.push(child),
            Err(error) => {
                let error = Error::not_started(own.executable(), error);
                return end(children).and(Err(error));
            }
        }
    }
    let mut sum = Some(Resident::default());
    for child in &mut children {
        wait_until_there(child);
        let of_child = Resident::read(&child.id().to_string());
        sum = sum.zip(of_child).map(|(sum, one)| Resident {
            resident: sum.resident + one.resident,
            share: sum.share + one.share,
        });
    }
    end(children)?;
    Ok(grown("process", PROCESSES, Some(Resident::default()), sum))
}

/// The first byte that it prints says that it runs.
fn wait_until_there(child: &mut Child) {
    use std::io::Read;
    let mut sign = [0];
    if let Some(out) = child.stdout.as_mut() {
        // One that died is seen by its missing memory.
        let _ = out.read_exact(&mut sign);
    }
}

/// Closes the input of each, upon which it ends, and waits for it.
fn end(children: Vec<Child>) -> Result<(), Error> {
    for mut child in children {
        drop(child.stdin.take());
        drop(child.stdout.take());
        let waited = child.wait();
        waited.map_err(|error| Error::io("cannot wait for a process", error))?;
    }
    Ok(())
}
