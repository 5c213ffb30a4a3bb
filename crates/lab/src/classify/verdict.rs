//! The verdict on a program: what kind it is, and what would help it.

use serde::{Deserialize, Serialize};

use super::program_state::{ByState, State};

/// What kind of program it is: a closed list with stable names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It computed nearly all the time, on one core.
    ComputesOnOneCore,
    /// It computed nearly all the time, on several cores at once.
    ComputesInParallel,
    /// It computed nearly all the time, and more of its threads could have run than there are cores.
    ShortOfCores,
    /// Its threads computed one at a time, because each waits for a lock that another holds.
    TakesTurns,
    /// Its Python threads computed one at a time, because the interpreter has one lock.
    InterpreterLock,
    /// It waited nearly all the time, for the network.
    WaitsForNetwork,
    /// It waited nearly all the time, for the disk.
    WaitsForDisk,
    /// It waited nearly all the time, for moments to come.
    Sleeps,
    /// It waited nearly all the time, for other processes, or for a person at the terminal.
    WaitsForOthers,
    /// It waited nearly all the time, each thread for another one.
    WaitsForThreads,
    /// It waited and computed in turn, and neither nearly all the time.
    Mixed,
    /// It ended too soon to be seen.
    TooShort,
    /// This system does not tell what is needed.
    NotOnThisSystem,
}

/// What can be done about a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Async tasks, or threads: several waits at once.
    AsyncOrThreads,
    /// Processes, or threads where the language runs them at once: several computations at once.
    Processes,
    /// A machine with more cores.
    MoreCores,
    /// What it waits for, made faster.
    FasterSource,
}

/// Whether a remedy would help.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// The remedy.
    pub remedy: Remedy,
    /// Whether it would help at all.
    pub helps: bool,
    /// How many times faster at most, where that can be told: the bound, not a promise.
    pub at_most: Option<f64>,
    /// Why, in a sentence with figures.
    pub why: String,
}

/// What the verdict follows from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Findings {
    /// Whether this system has the accounts that are needed.
    pub(super) is_seen: bool,
    pub(super) looks: u64,
    pub(super) cores: usize,
    /// Threads that ran at once, in the mean of the wall time.
    pub(super) running: f64,
    /// Threads that could have, in the mean of the wall time.
    pub(super) wanting: f64,
    /// Shares of the wall time.
    pub(super) shares: ByState,
    /// Whether threads of a program other than Python compute one at a time.
    pub(super) is_contended: bool,
    /// Whether threads of a Python do.
    pub(super) is_python_contended: bool,
}

/// From this share of the wall time on, a program computes "nearly all the time".
const NEARLY_ALL: f64 = 0.7;
/// Looks below which nothing is said.
const FEWEST_LOOKS: u64 = 5;

impl Findings {
    /// The share of the time in which it would have computed if a processor had always been free: what
    /// others on the machine took from it says nothing about the program.
    fn active(&self) -> f64 {
        undisturbed(
            self.shares.get(State::Running),
            self.shares.get(State::Runnable),
        )
    }

    /// The share of the wall time in which it computed, or could have; never zero.
    fn busy(&self) -> f64 {
        const LEAST: f64 = 1e-3;
        (self.shares.get(State::Running) + self.shares.get(State::Runnable)).max(LEAST)
    }

    /// The wait that took most of the wall time.
    fn longest_wait(&self) -> State {
        let waits = self
            .shares
            .pairs()
            .filter(|(state, _)| !matches!(state, State::Running | State::Runnable));
        waits
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map_or(State::Unknown, |(state, _)| state)
    }
}

/// The share of computing in the time that is left without the time in which no processor was free.
pub(super) fn undisturbed(running: f64, runnable: f64) -> f64 {
    let left = 1.0 - runnable;
    if left <= 0.0 {
        1.0
    } else {
        (running / left).min(1.0)
    }
}

/// The kind that follows from what was found.
pub(super) fn judge(found: &Findings) -> Kind {
    if !found.is_seen {
        return Kind::NotOnThisSystem;
    }
    if found.looks < FEWEST_LOOKS {
        return Kind::TooShort;
    }
    let active = found.active();
    if active >= 1.0 - NEARLY_ALL && found.is_python_contended {
        return Kind::InterpreterLock;
    }
    if active >= NEARLY_ALL && found.is_contended {
        return Kind::TakesTurns;
    }
    if active >= NEARLY_ALL {
        return computing(found);
    }
    if active > 1.0 - NEARLY_ALL {
        return Kind::Mixed;
    }
    match found.longest_wait() {
        State::Network => Kind::WaitsForNetwork,
        State::Disk => Kind::WaitsForDisk,
        State::Sleep => Kind::Sleeps,
        State::Lock => Kind::WaitsForThreads,
        _ => Kind::WaitsForOthers,
    }
}

fn computing(found: &Findings) -> Kind {
    const SEVERAL: f64 = 1.5;
    const MORE_THAN: f64 = 1.25;
    let cores = found.cores as f64;
    // While it computed, not in the mean of the whole time.
    let busy = found.busy();
    let (wanting, running) = (found.wanting / busy, found.running / busy);
    if wanting >= cores * MORE_THAN && wanting >= SEVERAL && wanting >= running * MORE_THAN {
        Kind::ShortOfCores
    } else if wanting >= SEVERAL {
        Kind::ComputesInParallel
    } else {
        Kind::ComputesOnOneCore
    }
}

/// What would help a program of this kind, and what would not.
pub(super) fn advise(kind: Kind, found: &Findings) -> Vec<Advice> {
    if matches!(kind, Kind::TooShort | Kind::NotOnThisSystem) {
        return Vec::new();
    }
    let mut advice = vec![
        overlap(kind, found),
        processes(kind, found),
        more_cores(kind, found),
    ];
    advice.extend(faster_source(found));
    advice
}

/// Several waits at once: until one core is full.
fn overlap(kind: Kind, found: &Findings) -> Advice {
    let waits = 1.0 - found.active();
    let helps = !matches!(kind, Kind::WaitsForThreads) && waits > 1.0 - NEARLY_ALL;
    let bound = 1.0 / found.running.max(1e-3);
    let at_most = (helps && bound > WORTH_DOING).then_some(bound);
    let why = if at_most.is_some() {
        format!(
            "it waited for {} of the time and used {} of one core: as much more can be in flight as fills it",
            percent(waits),
            percent(found.running.min(1.0))
        )
    } else if kind == Kind::WaitsForThreads {
        "its threads wait for one another: more of them wait too".to_owned()
    } else {
        format!(
            "it waited for only {} of the time: there is little waiting to overlap",
            percent(waits)
        )
    };
    Advice {
        remedy: Remedy::AsyncOrThreads,
        helps: at_most.is_some(),
        at_most,
        why,
    }
}

/// A gain below this is not worth a change.
const WORTH_DOING: f64 = 1.05;

/// Several computations at once: until all cores of this machine are full.
fn processes(kind: Kind, found: &Findings) -> Advice {
    let cores = found.cores as f64;
    let active = found.active();
    let running = (found.running / found.busy()).max(1.0);
    let bound = 1.0 / (1.0 - active + active * running / cores.max(running));
    let gains = bound > WORTH_DOING;
    let (helps, why) = match kind {
        Kind::InterpreterLock => (
            gains,
            format!(
                "the interpreter lock let one thread run at a time while {} core(s) were there: processes, or a \
                 Python without the lock (3.13t and later), run at once",
                found.cores
            ),
        ),
        Kind::TakesTurns => (
            gains,
            "its threads wait for one lock: hold it for shorter, or give each its own data, as processes have"
                .to_owned(),
        ),
        Kind::ComputesOnOneCore | Kind::Mixed if gains => (
            true,
            format!("it computed for {} of the time on {running:.1} of {} cores", percent(active), found.cores),
        ),
        Kind::ComputesInParallel | Kind::ShortOfCores => {
            (false, format!("it already computes on {running:.1} of {} core(s)", found.cores))
        }
        _ if active < NEARLY_ALL => {
            (false, format!("it computed for only {} of the time", percent(active)))
        }
        _ => (false, format!("this machine has {} core(s), and it uses them", found.cores)),
    };
    Advice {
        remedy: Remedy::Processes,
        helps,
        at_most: helps.then_some(bound),
        why,
    }
}

/// A machine with more cores: as far as more threads could run than do.
fn more_cores(kind: Kind, found: &Findings) -> Advice {
    const WORTH_TELLING: f64 = 0.1;
    let wanting = found.wanting / found.busy();
    let running = (found.running / found.busy()).max(1e-3);
    let crowded = found.shares.get(State::Runnable);
    let (helps, at_most, why) = match kind {
        Kind::ShortOfCores => (
            true,
            Some(wanting / running),
            format!("{wanting:.1} of its threads could run at once, and {running:.1} did"),
        ),
        Kind::ComputesInParallel => (
            true,
            None,
            format!(
                "it computes on {running:.1} of {} cores; more help as far as it has more threads or processes",
                found.cores
            ),
        ),
        _ if crowded > WORTH_TELLING => (
            true,
            Some(1.0 / (1.0 - crowded).max(1e-3)),
            format!(
                "for {} of the time no core was free, because other programs had them",
                percent(crowded)
            ),
        ),
        _ => (
            false,
            None,
            format!(
                "it never wants more than the {} that are there",
                found.cores
            ),
        ),
    };
    Advice {
        remedy: Remedy::MoreCores,
        helps,
        at_most,
        why,
    }
}

/// What it waits for, where it waits for something outside of itself.
fn faster_source(found: &Findings) -> Option<Advice> {
    let state = found.longest_wait();
    let share = found.shares.get(state);
    let source = match state {
        State::Disk => "a faster disk, or fewer forced writes (fsync)",
        State::Network => "a faster or nearer server",
        State::Pipe => "the process at the other end of the pipe, made faster",
        State::Child => "the child process, made faster",
        _ => return None,
    };
    const WORTH_TELLING: f64 = 0.1;
    (share > WORTH_TELLING).then(|| Advice {
        remedy: Remedy::FasterSource,
        helps: true,
        at_most: Some(1.0 / (1.0 - share).max(1e-3)),
        why: format!(
            "{} of the time it was {}: {source}",
            percent(share),
            state.title()
        ),
    })
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pairs: &[(State, f64)], running: f64, wanting: f64) -> Findings {
        let mut shares = ByState::default();
        pairs
            .iter()
            .for_each(|(state, share)| shares.add(*state, *share));
        Findings {
            is_seen: true,
            looks: 100,
            cores: 2,
            running,
            wanting,
            shares,
            is_contended: false,
            is_python_contended: false,
        }
    }

    fn helps(kind: Kind, found: &Findings, remedy: Remedy) -> Option<f64> {
        let advice = advise(kind, found);
        let one = advice
            .into_iter()
            .find(|advice| advice.remedy == remedy)
            .unwrap();
        assert!(one.helps || one.at_most.is_none(), "{one:?}");
        one.helps.then(|| one.at_most.unwrap_or(f64::INFINITY))
    }

    #[test]
    fn a_program_that_waits_is_helped_by_more_in_flight() {
        let waits = found(&[(State::Running, 0.1), (State::Network, 0.9)], 0.1, 0.1);
        let kind = judge(&waits);
        assert_eq!(kind, Kind::WaitsForNetwork);
        assert_eq!(helps(kind, &waits, Remedy::AsyncOrThreads), Some(10.0));
        assert_eq!(helps(kind, &waits, Remedy::Processes), None);
        assert_eq!(helps(kind, &waits, Remedy::MoreCores), None);
    }

    #[test]
    fn a_program_that_computes_alone_is_helped_by_processes() {
        let computes = found(&[(State::Running, 1.0)], 1.0, 1.0);
        let kind = judge(&computes);
        assert_eq!(kind, Kind::ComputesOnOneCore);
        assert_eq!(helps(kind, &computes, Remedy::Processes), Some(2.0));
        assert_eq!(helps(kind, &computes, Remedy::AsyncOrThreads), None);
    }

    #[test]
    fn more_threads_than_cores_are_helped_by_cores() {
        let short = found(&[(State::Running, 1.0)], 2.0, 6.0);
        let kind = judge(&short);
        assert_eq!(kind, Kind::ShortOfCores);
        assert_eq!(helps(kind, &short, Remedy::MoreCores), Some(3.0));
        let full = found(&[(State::Running, 1.0)], 1.9, 2.1);
        assert_eq!(judge(&full), Kind::ComputesInParallel);
    }

    #[test]
    fn one_lock_is_told_from_one_thread() {
        let mut turns = found(&[(State::Running, 1.0)], 1.0, 1.0);
        turns.is_contended = true;
        assert_eq!(judge(&turns), Kind::TakesTurns);
        turns.is_python_contended = true;
        assert_eq!(judge(&turns), Kind::InterpreterLock);
        assert_eq!(
            helps(Kind::InterpreterLock, &turns, Remedy::Processes),
            Some(2.0)
        );
    }

    #[test]
    fn every_wait_has_its_kind_and_half_and_half_is_mixed() {
        for (state, kind) in [
            (State::Disk, Kind::WaitsForDisk),
            (State::Sleep, Kind::Sleeps),
            (State::Lock, Kind::WaitsForThreads),
            (State::Child, Kind::WaitsForOthers),
            (State::Pipe, Kind::WaitsForOthers),
        ] {
            assert_eq!(judge(&found(&[(state, 1.0)], 0.0, 0.0)), kind);
        }
        let mixed = found(&[(State::Running, 0.5), (State::Sleep, 0.5)], 0.5, 0.5);
        assert_eq!(judge(&mixed), Kind::Mixed);
        assert_eq!(
            helps(Kind::Mixed, &mixed, Remedy::AsyncOrThreads),
            Some(2.0)
        );
        // What others took is not the program's.
        let crowded = found(
            &[
                (State::Running, 0.2),
                (State::Runnable, 0.2),
                (State::Disk, 0.6),
            ],
            0.2,
            0.4,
        );
        assert_eq!(judge(&crowded), Kind::WaitsForDisk);
        assert_eq!(
            helps(Kind::WaitsForDisk, &crowded, Remedy::MoreCores),
            Some(1.25)
        );
        let mut short = mixed;
        short.looks = 2;
        assert_eq!(judge(&short), Kind::TooShort);
        assert!(advise(Kind::TooShort, &short).is_empty());
    }
}
