//! Looks at a program and all its children, again and again, until it has ended.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::accounts::{Schedule, Status, TICKS_PER_SECOND, disk_bytes, link, numbered};
use super::descriptor::Reasons;
use super::program_state::{ByState, State};
use super::thread_record::ThreadRecord;
use crate::clock::{Stopwatch, thread_processor_seconds};

/// Processes of the program that are followed at most; those beyond count in its processor time only.
const MOST_PROCESSES: usize = 1_024;
/// Threads of a process that are followed at once at most, and as many of those that ended.
const MOST_THREADS: usize = 1_024;
/// Looks whose costs are remembered.
const COSTS: usize = 4;
/// Looks between two readings of what a process read and wrote.
const LOOKS_A_READING: u64 = 8;

/// The processes of the machine.
pub(super) fn processes() -> HashSet<u32> {
    numbered("/proc").into_iter().collect()
}

/// A process of the program.
#[derive(Debug, Default)]
pub(super) struct ProcessRecord {
    pub(super) name: String,
    pub(super) threads: BTreeMap<u32, ThreadRecord>,
    /// Those of its threads that have ended.
    pub(super) ended: Vec<ThreadRecord>,
    /// Seconds that it was seen to be there.
    pub(super) seconds: f64,
    pub(super) is_python: bool,
    pub(super) disk_read_bytes: u64,
    pub(super) disk_written_bytes: u64,
    is_gone: bool,
}

impl ProcessRecord {
    /// All its threads, also those that have ended.
    pub(super) fn all_threads(&self) -> impl Iterator<Item = &ThreadRecord> {
        self.threads.values().chain(&self.ended)
    }

    fn move_ended(&mut self, alive: &[u32]) {
        let gone: Vec<u32> = self
            .threads
            .keys()
            .filter(|id| !alive.contains(id))
            .copied()
            .collect();
        for id in gone {
            let thread = self.threads.remove(&id);
            if self.ended.len() < MOST_THREADS {
                self.ended.extend(thread);
            }
        }
    }
}

/// The looks at a program.
#[derive(Debug)]
pub(super) struct Watch {
    root: u32,
    /// Whether this system has the accounts that are read.
    pub(super) is_seen: bool,
    stopwatch: Stopwatch,
    /// When it was last looked at, in seconds.
    last: f64,
    pub(super) looks: u64,
    /// Processor seconds of the last looks.
    costs: [f64; COSTS],
    pub(super) processes: BTreeMap<u32, ProcessRecord>,
    /// Processes that were there and are not the program's.
    strangers: HashSet<u32>,
    reasons: Reasons,
    /// Seconds that the whole program spent in each state: running where any of its threads could run.
    pub(super) program: ByState,
    /// Processor seconds of the program and of all children that it waited for, once it has ended.
    pub(super) processor_seconds: Option<f64>,
    /// Seconds from its start until it was found to have ended.
    pub(super) wall_seconds: f64,
}

impl Watch {
    /// For a program that was started when the stopwatch was, while the strangers were there.
    pub(super) fn new(root: u32, strangers: HashSet<u32>, stopwatch: Stopwatch) -> Self {
        let mut processes = BTreeMap::new();
        processes.insert(root, ProcessRecord::default());
        let own = std::process::id();
        Self {
            root,
            is_seen: Schedule::read(own, own).is_some() && Status::of_process(root).is_some(),
            stopwatch,
            last: 0.0,
            looks: 0,
            costs: [0.0; COSTS],
            processes,
            strangers,
            reasons: Reasons::default(),
            program: ByState::default(),
            processor_seconds: None,
            wall_seconds: 0.0,
        }
    }

    /// Notes that it has ended.
    pub(super) fn end(&mut self) {
        self.wall_seconds = self.stopwatch.seconds();
    }

    /// How long a look takes of a processor: the shortest of the last ones.
    pub(super) fn cost_of_a_look(&self) -> Duration {
        Duration::from_secs_f64(self.costs.iter().copied().fold(1.0, f64::min))
    }

    /// Looks once. False once the program has ended and only waits to be collected.
    pub(super) fn look(&mut self) -> bool {
        let begun = thread_processor_seconds();
        let now = self.stopwatch.seconds();
        let seconds = now - self.last;
        self.last = now;
        self.wall_seconds = now;
        let Some(status) = Status::of_process(self.root) else {
            return false;
        };
        // The first thread may end before the others: only with all of them has the program ended.
        let threads = numbered(&format!("/proc/{}/task", self.root));
        if status.state == 'Z' && threads.len() <= 1 {
            let ticks = status.own_ticks + status.children_ticks;
            self.processor_seconds = Some(ticks as f64 / TICKS_PER_SECOND);
            return false;
        }
        self.find_children();
        let processes: Vec<u32> = self.processes.keys().copied().collect();
        for process in processes {
            self.look_at_process(process, seconds);
        }
        self.program.add(self.program_state(), seconds);
        self.costs.rotate_right(1);
        self.costs[0] = (thread_processor_seconds() - begun).max(0.0);
        self.looks += 1;
        true
    }

    /// Adopts the processes whose parents are the program's. What is no child now never becomes one.
    fn find_children(&mut self) {
        let listed = numbered("/proc");
        self.strangers.retain(|process| listed.contains(process));
        let mut new: Vec<(u32, u32)> = Vec::new();
        for process in listed {
            if self.processes.contains_key(&process) || self.strangers.contains(&process) {
                continue;
            }
            new.extend(Status::of_process(process).map(|status| (process, status.parent)));
        }
        loop {
            let known = |parent: &u32| {
                self.processes
                    .get(parent)
                    .is_some_and(|record| !record.is_gone)
            };
            let (ours, others): (Vec<_>, Vec<_>) =
                new.into_iter().partition(|(_, parent)| known(parent));
            if ours.is_empty() || self.processes.len() >= MOST_PROCESSES {
                self.strangers
                    .extend(others.into_iter().map(|(process, _)| process));
                return;
            }
            for (process, _) in ours {
                self.processes.insert(process, ProcessRecord::default());
            }
            new = others;
        }
    }

    fn look_at_process(&mut self, id: u32, seconds: f64) {
        let Some(process) = self
            .processes
            .get_mut(&id)
            .filter(|process| !process.is_gone)
        else {
            return;
        };
        let alive = numbered(&format!("/proc/{id}/task"));
        process.move_ended(&alive);
        let name_before = process.name.clone();
        let mut seen = false;
        for thread in alive.into_iter().take(MOST_THREADS) {
            seen |= look_at_thread(process, &mut self.reasons, (id, thread), seconds);
        }
        if !seen {
            process.is_gone = true;
            process.move_ended(&[]);
            return;
        }
        process.seconds += seconds;
        // A process that becomes another program gets its name.
        if process.name != name_before || self.looks.is_multiple_of(LOOKS_A_READING) {
            read_rarely(process, id);
        }
    }

    /// What the whole program does: it computes where any thread could; else the thread that its first
    /// one waits for, at last, says why it waits.
    fn program_state(&self) -> State {
        let all = || {
            self.processes
                .values()
                .flat_map(|process| process.threads.values())
        };
        if all().any(|thread| thread.state == State::Running) {
            return State::Running;
        }
        let root = self.processes.get(&self.root);
        let first = root
            .and_then(|process| process.threads.get(&self.root))
            .map(|thread| thread.state);
        match first {
            Some(state) if state.is_cause() => state,
            _ => all()
                .map(|thread| thread.state)
                .min()
                .unwrap_or(State::Unknown),
        }
    }
}

/// Looks at a thread. Whether it is there, and has not ended.
fn look_at_thread(
    process: &mut ProcessRecord,
    reasons: &mut Reasons,
    (id, thread): (u32, u32),
    seconds: f64,
) -> bool {
    let Some(schedule) = Schedule::read(id, thread) else {
        return false;
    };
    let record = process
        .threads
        .entry(thread)
        .or_insert_with(|| ThreadRecord::new(thread));
    if record.waits_still(schedule) {
        record.note(seconds, schedule, record.state);
        return true;
    }
    let Some(status) = Status::of_thread(id, thread) else {
        return false;
    };
    if record.name != status.name {
        record.name.clone_from(&status.name);
    }
    if id == thread && process.name != status.name {
        process.name = status.name;
    }
    let state = match status.state {
        'Z' | 'X' => return false,
        'R' => State::Running,
        'D' => reasons.find(id, thread, true),
        'S' => reasons.find(id, thread, false),
        _ => State::Unknown,
    };
    record.note(seconds, schedule, state);
    true
}

/// What changes seldom: the program that a process runs, and the bytes that it read and wrote.
fn read_rarely(process: &mut ProcessRecord, id: u32) {
    let executable = link(&format!("/proc/{id}/exe")).unwrap_or_default();
    let name = executable.rsplit('/').next().unwrap_or_default();
    process.is_python = name.starts_with("python") || name.starts_with("pypy");
    if let Some((read, written)) = disk_bytes(id) {
        process.disk_read_bytes = read;
        process.disk_written_bytes = written;
    }
}
