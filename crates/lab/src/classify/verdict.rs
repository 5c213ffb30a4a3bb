//! The verdict on a program: what kind it is.

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
pub(super) const NEARLY_ALL: f64 = 0.7;
/// Looks below which nothing is said: those of a twentieth of a second, most of which is the program's start.
const FEWEST_LOOKS: u64 = 10;

impl Findings {
    /// Of a machine with two cores, for the tests of what follows from it.
    #[cfg(test)]
    pub(super) fn planted(shares: &[(State, f64)], running: f64, wanting: f64) -> Self {
        let mut by_state = ByState::default();
        shares
            .iter()
            .for_each(|(state, share)| by_state.add(*state, *share));
        Self {
            is_seen: true,
            looks: 100,
            cores: 2,
            running,
            wanting,
            shares: by_state,
            is_contended: false,
            is_python_contended: false,
        }
    }

    /// The share of the time in which it would have computed if a processor had always been free: what
    /// others on the machine took from it says nothing about the program.
    pub(super) fn active(&self) -> f64 {
        undisturbed(
            self.shares.get(State::Running),
            self.shares.get(State::Runnable),
        )
    }

    /// The share of the wall time in which it computed, or could have; never zero.
    pub(super) fn busy(&self) -> f64 {
        const LEAST: f64 = 1e-3;
        (self.shares.get(State::Running) + self.shares.get(State::Runnable)).max(LEAST)
    }

    /// The wait that took most of the wall time.
    pub(super) fn longest_wait(&self) -> State {
        let waits = self
            .shares
            .pairs()
            .filter(|(state, _)| !matches!(state, State::Running | State::Runnable));
        waits
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map_or(State::Unknown, |(state, _)| state)
    }
}

/// A share of the time, of what is left of it without the time in which no processor was free; 1 where
/// nothing is left.
pub(super) fn undisturbed(share: f64, runnable: f64) -> f64 {
    let left = 1.0 - runnable;
    if left <= 0.0 {
        1.0
    } else {
        (share / left).min(1.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wait_has_its_kind_and_half_and_half_is_mixed() {
        for (state, kind) in [
            (State::Network, Kind::WaitsForNetwork),
            (State::Disk, Kind::WaitsForDisk),
            (State::Sleep, Kind::Sleeps),
            (State::Lock, Kind::WaitsForThreads),
            (State::Child, Kind::WaitsForOthers),
            (State::Pipe, Kind::WaitsForOthers),
        ] {
            assert_eq!(judge(&Findings::planted(&[(state, 1.0)], 0.0, 0.0)), kind);
        }
        let half = [(State::Running, 0.5), (State::Sleep, 0.5)];
        let mut mixed = Findings::planted(&half, 0.5, 0.5);
        assert_eq!(judge(&mixed), Kind::Mixed);
        mixed.looks = 2;
        assert_eq!(judge(&mixed), Kind::TooShort);
        mixed.is_seen = false;
        assert_eq!(judge(&mixed), Kind::NotOnThisSystem);
    }

    #[test]
    fn computing_is_told_apart_by_how_many_threads_could_run() {
        let kind = |running, wanting| {
            judge(&Findings::planted(
                &[(State::Running, 1.0)],
                running,
                wanting,
            ))
        };
        assert_eq!(kind(1.0, 1.0), Kind::ComputesOnOneCore);
        assert_eq!(kind(1.9, 2.1), Kind::ComputesInParallel);
        assert_eq!(kind(2.0, 6.0), Kind::ShortOfCores);
        let mut turns = Findings::planted(&[(State::Running, 1.0)], 1.0, 1.0);
        turns.is_contended = true;
        assert_eq!(judge(&turns), Kind::TakesTurns);
        turns.is_python_contended = true;
        assert_eq!(judge(&turns), Kind::InterpreterLock);
    }

    #[test]
    fn what_others_took_is_not_the_programs() {
        let shares = [
            (State::Running, 0.2),
            (State::Runnable, 0.2),
            (State::Disk, 0.6),
        ];
        assert_eq!(
            judge(&Findings::planted(&shares, 0.2, 0.4)),
            Kind::WaitsForDisk
        );
    }
}
