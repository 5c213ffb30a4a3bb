//! Concurrency and parallelism on this machine, measured: for someone who has to choose between threads,
//! processes and async.
//!
//! [`Lab`] measures waiting work and computing work, done one after the other, by async tasks, by threads
//! and by processes, on one core and on all; what it costs to start, to switch and to share memory; the same
//! in Python, where the interpreter lock shows; and where a small crawl stops to wait and begins to compute.
//! [`classify`] runs any program and tells from the operating system's accounts whether it waits or computes,
//! and what would help it.
//!
//! Nothing here is part of the crawler, and of the crawler only the ledger is used, for what it predicts.
//! What a system does not tell is said in the report; Linux tells all of it.
//!
//! The lab measures in processes of its own: it starts this program again with a hidden argument, which
//! the caller hands to [`run_task`].
//!
//! ```no_run
//! use nephila_lab::{Lab, OwnProgram, run_task};
//!
//! let own = OwnProgram::with_arguments(["measure"])?;
//! if let [_, hidden, task] = &std::env::args().collect::<Vec<_>>()[..]
//!     && hidden == "measure"
//! {
//!     run_task(&own, task)?;
//!     return Ok(());
//! }
//! let report = Lab::new(own).run(&mut |progress| eprintln!("{}", progress.what))?;
//! report.write("lab".as_ref())?;
//! # Ok::<(), nephila_lab::Error>(())
//! ```

mod choice;
mod classify;
mod clock;
mod costs;
mod crossover;
mod error;
mod html;
mod lab;
mod machine;
mod measure;
mod memory;
mod own_program;
mod python;
mod report;
mod round;
mod task;
mod text;
mod work;

pub use classify::{
    Advice, Classification, Kind, ProcessTimes, Remedy, State, ThreadTimes, classify,
};
pub use crossover::{Crossover, CrossoverBase, CrossoverPlace, CrossoverPoint};
pub use error::{Error, ErrorKind};
pub use lab::{Lab, Progress};
pub use machine::Machine;
pub use measure::Measure;
pub use own_program::OwnProgram;
pub use python::{HeldBack, Interpreter, Python, PythonCost, PythonWork};
pub use report::{Figure, Report, Unit, WorkFigure};
pub use round::Means;
pub use task::run_task;
pub use work::{Amounts, Work};
