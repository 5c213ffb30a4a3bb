//! What was found out about a program.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::advice::{Advice, Remedy, advise};
use super::program_state::{ByState, State};
use super::thread_record::ThreadRecord;
use super::verdict::{Findings, Kind, judge, undisturbed};
use super::watch::{ProcessRecord, Watch};
use crate::machine::cores;

/// Processes, and threads of each, that are told: those that took most time come first.
const MOST_TOLD: usize = 20;

/// What a program did with its time, and what would help it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// The command as it was given.
    pub command: Vec<String>,
    /// The code that it ended with; 128 and the signal where one ended it.
    pub exit_code: i32,
    /// Seconds from start to end.
    pub wall_seconds: f64,
    /// Processor seconds of all its threads and children.
    pub processor_seconds: f64,
    /// Cores of this machine that it could use.
    pub cores: usize,
    /// Threads that ran at once in the mean of the whole time.
    pub running: f64,
    /// Threads that could have run at once, with or without a processor, in the mean of the whole time.
    pub wanting: f64,
    /// Shares of the wall time in which the whole program was in each state, those above zero: running
    /// where any thread of it could run. They add up to 1.
    pub shares: BTreeMap<State, f64>,
    /// Bytes that were read from disks, as far as was seen.
    pub disk_read_bytes: u64,
    /// Bytes that were written to disks, as far as was seen.
    pub disk_written_bytes: u64,
    /// Its processes, the 20 that ran longest.
    pub processes: Vec<ProcessTimes>,
    /// Processes in all, as far as they lived long enough to be seen.
    pub process_count: usize,
    /// How often it was looked at.
    pub looks: u64,
    /// The verdict.
    pub kind: Kind,
    /// What would help, and what would not. See [`Classification::remedy`] for the one to try first.
    pub advice: Vec<Advice>,
}

/// The time of a process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessTimes {
    /// Its number.
    pub id: u32,
    /// Its name, at most 15 bytes (the system keeps no more).
    pub name: String,
    /// Seconds that it was there.
    pub seconds: f64,
    /// Its threads, the 20 that ran longest.
    pub threads: Vec<ThreadTimes>,
    /// Threads in all, as far as they lived long enough to be seen.
    pub thread_count: usize,
}

/// The time of a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThreadTimes {
    /// Its number.
    pub id: u32,
    /// Its name, at most 15 bytes.
    pub name: String,
    /// Seconds in each state, those above zero.
    pub seconds: BTreeMap<State, f64>,
}

impl Classification {
    /// The share of the wall time in a state.
    pub fn share(&self, state: State) -> f64 {
        self.shares.get(&state).copied().unwrap_or_default()
    }

    /// What to try first: the first of the advice that helps. None where nothing of it does.
    pub fn remedy(&self) -> Option<Remedy> {
        let first = self.advice.iter().find(|advice| advice.helps);
        first.map(|advice| advice.remedy)
    }
}

pub(super) fn of(command: Vec<String>, exit_code: i32, watch: Watch) -> Classification {
    let wall_seconds = watch.wall_seconds.max(1e-6);
    let mut threads = ByState::default();
    for process in watch.processes.values() {
        for thread in process.all_threads() {
            threads = threads.plus(&thread.by_state());
        }
    }
    let seen = threads.get(State::Running);
    let processor_seconds = watch.processor_seconds.unwrap_or(seen).max(seen);
    let unseen = processor_seconds - seen;
    let running = processor_seconds / wall_seconds;
    let wanting = running + threads.get(State::Runnable) / wall_seconds;
    let shares = shares(&watch.program, unseen / wall_seconds, running, wanting);
    let findings = Findings {
        is_seen: watch.is_seen,
        looks: watch.looks,
        cores: cores(),
        running,
        wanting,
        shares,
        is_contended: watch
            .processes
            .values()
            .any(|process| takes_turns(process, false)),
        is_python_contended: watch
            .processes
            .values()
            .any(|process| takes_turns(process, true)),
    };
    let kind = judge(&findings);
    let sum = |of: fn(&ProcessRecord) -> u64| watch.processes.values().map(of).sum();
    Classification {
        command,
        exit_code,
        wall_seconds,
        processor_seconds,
        cores: findings.cores,
        running,
        wanting,
        shares: shares.pairs().collect(),
        disk_read_bytes: sum(|process| process.disk_read_bytes),
        disk_written_bytes: sum(|process| process.disk_written_bytes),
        process_count: watch.processes.len(),
        processes: longest_first(
            watch
                .processes
                .iter()
                .map(|(id, process)| times(*id, process)),
            |process| process.threads.iter().map(ran).sum(),
        ),
        looks: watch.looks,
        kind,
        advice: advise(kind, &findings),
    }
}

/// Shares of the wall time. What ran and was never seen (processes shorter than the time between two
/// looks) is taken from the waits; where one thread at a time could run, the scheduler's own figures say
/// how much of it was without a processor.
fn shares(program: &ByState, unseen: f64, running: f64, wanting: f64) -> ByState {
    let sum = program.sum();
    if sum <= 0.0 {
        let mut unknown = ByState::default();
        unknown.add(State::Unknown, 1.0);
        return unknown;
    }
    let seen = program.times(1.0 / sum);
    let active = (seen.get(State::Running) + unseen).clamp(0.0, 1.0);
    let waits_before = 1.0 - seen.get(State::Running);
    let factor = if waits_before > 0.0 {
        (1.0 - active) / waits_before
    } else {
        0.0
    };
    let mut shares = ByState::default();
    for (state, share) in seen.pairs().filter(|(state, _)| *state != State::Running) {
        shares.add(state, share * factor);
    }
    let without_processor = if running < active && wanting > 0.0 {
        active * (1.0 - running / wanting).clamp(0.0, 1.0)
    } else {
        0.0
    };
    shares.add(State::Running, active - without_processor);
    shares.add(State::Runnable, without_processor);
    shares
}

/// Whether the threads of a process take turns: at least two compute, one of them waits for others much
/// of the time, and together they run on no more than about one core. Time in which no processor was free
/// does not count: it says something of the other programs on the machine.
fn takes_turns(process: &ProcessRecord, in_python: bool) -> bool {
    const COMPUTES: f64 = 0.02;
    const WAITS_FOR_OTHERS: f64 = 0.25;
    const AT_ALL: f64 = 0.05;
    const ONE_CORE: f64 = 1.25;
    const MUCH_OF_THE_TIME: f64 = 0.4;
    if process.is_python != in_python || process.seconds <= 0.0 {
        return false;
    }
    let lived = |thread: &&ThreadRecord| thread.seconds > process.seconds * 0.1;
    let computing: Vec<ByState> = process
        .all_threads()
        .filter(lived)
        .map(|thread| (thread.seconds.max(1e-6), thread.by_state()))
        .filter(|(seconds, states)| states.get(State::Running) / seconds > COMPUTES)
        .map(|(seconds, states)| states.times(1.0 / seconds))
        .collect();
    let waits = |shares: &ByState| {
        let lock = shares.get(State::Lock);
        lock > AT_ALL && undisturbed(lock, shares.get(State::Runnable)) > WAITS_FOR_OTHERS
    };
    let sum = |state| {
        let threads = process.all_threads().map(|thread| thread.by_state());
        threads.map(|states| states.get(state)).sum::<f64>() / process.seconds
    };
    let (running, runnable) = (sum(State::Running), sum(State::Runnable));
    computing.len() >= 2
        && computing.iter().any(waits)
        && running < ONE_CORE
        && running + runnable >= MUCH_OF_THE_TIME
}

fn times(id: u32, process: &ProcessRecord) -> ProcessTimes {
    let threads = process.all_threads().map(|thread| ThreadTimes {
        id: thread.id,
        name: thread.name.clone(),
        seconds: thread.by_state().pairs().collect(),
    });
    ProcessTimes {
        id,
        name: process.name.clone(),
        seconds: process.seconds,
        thread_count: process.all_threads().count(),
        threads: longest_first(threads, ran),
    }
}

/// Seconds that a thread ran.
fn ran(thread: &ThreadTimes) -> f64 {
    thread
        .seconds
        .get(&State::Running)
        .copied()
        .unwrap_or_default()
}

fn longest_first<T>(all: impl Iterator<Item = T>, seconds: impl Fn(&T) -> f64) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by(|a, b| seconds(b).total_cmp(&seconds(a)));
    all.truncate(MOST_TOLD);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(pairs: &[(State, f64)]) -> ByState {
        let mut by_state = ByState::default();
        pairs
            .iter()
            .for_each(|(state, seconds)| by_state.add(*state, *seconds));
        by_state
    }

    #[test]
    fn shares_add_up_to_one() {
        let seen = program(&[(State::Running, 1.0), (State::Network, 3.0)]);
        let plain = shares(&seen, 0.0, 0.25, 0.25);
        assert!((plain.sum() - 1.0).abs() < 1e-9);
        assert!((plain.get(State::Network) - 0.75).abs() < 1e-9);
        // Half of the time ran what was too short to be seen.
        let unseen = shares(&seen, 0.5, 0.75, 0.75);
        assert!((unseen.sum() - 1.0).abs() < 1e-9);
        assert!((unseen.get(State::Running) - 0.75).abs() < 1e-9);
        // One thread that was given a processor half of the time.
        let crowded = shares(&program(&[(State::Running, 2.0)]), 0.0, 0.5, 1.0);
        assert!((crowded.get(State::Runnable) - 0.5).abs() < 1e-9);
        assert_eq!(
            shares(&ByState::default(), 0.0, 0.0, 0.0).get(State::Unknown),
            1.0
        );
    }
}
