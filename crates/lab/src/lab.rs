//! The whole lab: repetitions of everything, in turn, and the report that they make.

use std::time::Duration;

use crate::clock::Stopwatch;
use crate::crossover::{CrawlPlan, crawl_plan};
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
/// Repetitions at most of memory, which hardly varies, and of the crawls, which take longest.
const FEWER_REPETITIONS: usize = 3;
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
    Crawls,
    Python,
}

impl Step {
    const ALL: [Self; 7] = [
        Self::OneCore,
        Self::AllCores,
        Self::Costs,
        Self::Sharing,
        Self::Memory,
        Self::Crawls,
        Self::Python,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::OneCore => "waiting and computing on one core",
            Self::AllCores => "waiting and computing on all cores",
            Self::Costs => "starting and switching",
            Self::Sharing => "sharing memory",
            Self::Memory => "memory",
            Self::Crawls => "the crossover of a crawl",
            Self::Python => "Python",
        }
    }

    /// How often it is done where others are done `repetitions` times.
    fn repetitions(self, repetitions: usize) -> usize {
        match self {
            Self::Memory | Self::Crawls => repetitions.min(FEWER_REPETITIONS),
            _ => repetitions,
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

    /// Measures. Blocks for a minute or two, keeps the machine busy, and tells `progress` before each
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
        let crawls = crawl_plan();
        let mut collected = Collected::default();
        let mut pythons = Pythons::find()?;
        let steps: Vec<(usize, Step)> = self
            .steps()
            .filter(|(_, step)| *step != Step::Python || !pythons.is_empty())
            .collect();
        for (place, (turn, step)) in steps.iter().copied().enumerate() {
            let repetitions = step.repetitions(self.repetitions);
            progress(Progress {
                done: place as f64 / steps.len() as f64,
                what: format!("{} ({} of {repetitions})", step.title(), turn + 1),
            });
            match step {
                Step::Python => pythons.repeat(&amounts, turn),
                step => {
                    for (prefix, task) in tasks(step, amounts, crawls, turn) {
                        collected.add(prefix, self.own.figures(&task)?);
                    }
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

    /// Each step as often as it is done, in turns.
    fn steps(&self) -> impl Iterator<Item = (usize, Step)> {
        let repetitions = self.repetitions;
        let turns = (0..repetitions).flat_map(|turn| Step::ALL.map(|step| (turn, step)));
        turns.filter(move |(turn, step)| *turn < step.repetitions(repetitions))
    }
}

/// The tasks of a step, each with what stands before the names of its figures.
fn tasks(step: Step, amounts: Amounts, plan: CrawlPlan, turn: usize) -> Vec<(&'static str, Task)> {
    let round = |one_core| Task::Round {
        amounts,
        one_core,
        turn,
    };
    match step {
        Step::OneCore => vec![("one/", round(true))],
        Step::AllCores => vec![("all/", round(false))],
        Step::Costs => vec![("", Task::Costs)],
        Step::Sharing => vec![("", Task::Sharing)],
        Step::Memory => [Tenant::Thread, Tenant::Task, Tenant::Process]
            .map(|of| ("", Task::Memory { of }))
            .to_vec(),
        Step::Crawls => vec![("", Task::Crawls { plan, turn })],
        // Measured by programs of its own.
        Step::Python => Vec::new(),
    }
}
