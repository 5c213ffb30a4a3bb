//! The cost to start a thread, an async task and a process, and to wait for its end.

use tokio::runtime::Builder;

use crate::clock::Stopwatch;
use crate::error::Error;
use crate::measure::Figures;
use crate::own_program::OwnProgram;
use crate::task::Task;

const THREADS: u32 = 400;
const TASKS: u32 = 20_000;
const PROCESSES: u32 = 25;

pub(super) fn measure(own: &OwnProgram, figures: &mut Figures) -> Result<(), Error> {
    figures.insert("thread_start".to_owned(), threads()?);
    figures.insert("task_start".to_owned(), tasks()?);
    figures.insert("process_start".to_owned(), processes(own)?);
    Ok(())
}

fn threads() -> Result<f64, Error> {
    let stopwatch = Stopwatch::start();
    for _ in 0..THREADS {
        let spawned = std::thread::Builder::new().spawn(|| {});
        let thread = spawned.map_err(|error| Error::io("cannot start a thread", error))?;
        thread
            .join()
            .map_err(|_| Error::task("a thread panicked"))?;
    }
    Ok(stopwatch.seconds() / f64::from(THREADS))
}

fn tasks() -> Result<f64, Error> {
    let runtime = Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| Error::io("cannot start the async runtime", error))?;
    let stopwatch = Stopwatch::start();
    runtime.block_on(async {
        for _ in 0..TASKS {
            let task = tokio::spawn(async {});
            task.await
                .map_err(|_| Error::task("an async task panicked"))?;
        }
        Ok::<(), Error>(())
    })?;
    Ok(stopwatch.seconds() / f64::from(TASKS))
}

fn processes(own: &OwnProgram) -> Result<f64, Error> {
    let stopwatch = Stopwatch::start();
    for _ in 0..PROCESSES {
        let status = own.command(&Task::Nothing).status();
        let status = status.map_err(|error| Error::not_started(own.executable(), error))?;
        if !status.success() {
            return Err(Error::task(format!(
                "a process that does nothing failed: {status}"
            )));
        }
    }
    Ok(stopwatch.seconds() / f64::from(PROCESSES))
}
