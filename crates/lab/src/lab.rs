//! The whole lab: repetitions of everything, in turn, and the report that they make.

use std::time::Duration;

use crate::clock::Stopwatch;
use crate::error::Error;
use crate::machine::{Machine, ProcessorTime};
use crate::measure::Collected;
use crate::memory::Tenant;
use crate::own_program::OwnProgram;
use crate::python::Pythons;
use crate::report::Report;
use crate::task::Task;
use crate::work::Amounts;

/// Repetitions of everything that is timed.
const REPETITIONS: usize = 5;
/// Repetitions of memory, which hardly varies.
const MEMORY_REPETITIONS: usize = 3;
/// How long a job of each kind takes: about what a quick server and the analysis of a large page take.
const WAIT: Duration = Duration::from_millis(10);
const COMPUTE: Duration = Duration::from_millis(8);
const JOBS: usize = 48;
const WORKERS: usize = 16;

/// How far the lab is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The part that is done, from 0 to 1.
    pub done: f64,
    /// What is being measured.
    pub what: String,
}

/// The lab of a machine.
#[derive(Clone, Debug)]
pub struct Lab {
    own: OwnProgram,
    repetitions: usize,
}

/// A step of a repetition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    OneCore,
    AllCores,
    Costs,
    Sharing,
    Memory,
    Python,
}

impl Step {
    const ALL: [Self; 6] = [
        Self::OneCore,
        Self::AllCores,
        Self::Costs,
        Self::Sharing,
        Self::Memory,
        Self::Python,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::OneCore => "waiting and computing on one core",
            Self::AllCores => "waiting and computing on all cores",
            Self::Costs => "starting and switching",
            Self::Sharing => "sharing memory",
            Self::Memory => "memory",
            Self::Python => "Python",
        }
    }
}

impl Lab {
    /// A lab that starts its measuring processes so.
    pub fn new(own: OwnProgram) -> Self {
        Self {
            own,
            repetitions: REPETITIONS,
        }
    }

    /// With fewer or more repetitions than five; at least one.
    #[must_use]
    pub fn repetitions(mut self, repetitions: usize) -> Self {
        self.repetitions = repetitions.max(1);
        self
    }

    /// Measures. Blocks for about a minute, keeps the machine busy, and tells `progress` before each
    /// step.
    ///
    /// Every repetition does every step once, so that a disturbance of some seconds meets all of them and
    /// not one.
    ///
    /// # Errors
    /// When a measuring process cannot be started or fails. What the machine merely lacks stands in the
    /// report.
    pub fn run(&self, progress: &mut dyn FnMut(Progress)) -> Result<Report, Error> {
        let stopwatch = Stopwatch::start();
        let machine = Machine::read();
        let before = ProcessorTime::read();
        let amounts = Amounts::calibrated(COMPUTE, WAIT, JOBS, WORKERS);
        let mut collected = Collected::default();
        let mut pythons = Pythons::find()?;
        let steps = self.repetitions * Step::ALL.len();
        for turn in 0..self.repetitions {
            for (place, step) in Step::ALL.into_iter().enumerate() {
                let done = (turn * Step::ALL.len() + place) as f64 / steps as f64;
                if step == Step::Memory && turn >= MEMORY_REPETITIONS
                    || step == Step::Python && pythons.is_empty()
                {
                    continue;
                }
                let what = format!("{} ({} of {})", step.title(), turn + 1, self.repetitions);
                progress(Progress { done, what });
                match step {
                    Step::Python => pythons.repeat(&amounts, turn),
                    step => self.measure(step, &amounts, turn, &mut collected)?,
                }
            }
        }
        let python = pythons.report(&amounts);
        let took = stopwatch.seconds();
        let others = before
            .zip(ProcessorTime::read())
            .map(|(before, after)| after.others_since(before) / took);
        Ok(Report::assemble(
            machine,
            amounts,
            (took, others),
            &collected,
            python,
        ))
    }

    fn measure(
        &self,
        step: Step,
        amounts: &Amounts,
        turn: usize,
        collected: &mut Collected,
    ) -> Result<(), Error> {
        let amounts = *amounts;
        let round = |one_core| Task::Round {
            amounts,
            one_core,
            turn,
        };
        let memory = [Tenant::Thread, Tenant::Task, Tenant::Process].map(|of| Task::Memory { of });
        let (prefix, tasks) = match step {
            Step::OneCore => ("one/", vec![round(true)]),
            Step::AllCores => ("all/", vec![round(false)]),
            Step::Costs => ("", vec![Task::Costs]),
            Step::Sharing => ("", vec![Task::Sharing]),
            Step::Memory => ("", memory.to_vec()),
            Step::Python => ("", Vec::new()),
        };
        for task in tasks {
            collected.add(prefix, self.own.figures(&task)?);
        }
        Ok(())
    }
}
