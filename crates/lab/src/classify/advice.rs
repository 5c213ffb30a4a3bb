//! What would help a program, and what would not: bounds that follow from the shares of its time.
//!
//! A program that uses a share of one core can be in flight as often as fills it (the utilisation law);
//! what computes can be shared out over the cores, and what waits cannot (Amdahl's law).

use serde::{Deserialize, Serialize};

use super::program_state::State;
use super::verdict::{Findings, Kind, NEARLY_ALL};

/// A gain below this is not worth a change.
const WORTH_DOING: f64 = 1.05;

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

impl Remedy {
    /// As a person says it.
    pub fn title(self) -> &'static str {
        match self {
            Self::AsyncOrThreads => "async or threads",
            Self::Processes => "processes",
            Self::MoreCores => "more cores",
            Self::FasterSource => "a faster source",
        }
    }
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

/// What would help a program of this kind, and what would not: first what changes the program, then what
/// changes the machine, then what it waits for.
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
    use super::super::verdict::judge;
    use super::*;

    /// The bound of a remedy for what was found; none where it does not help.
    fn bound(shares: &[(State, f64)], running: f64, wanting: f64, remedy: Remedy) -> Option<f64> {
        let found = Findings::planted(shares, running, wanting);
        let advice = advise(judge(&found), &found);
        let one = advice
            .into_iter()
            .find(|advice| advice.remedy == remedy)
            .unwrap();
        assert!(one.helps || one.at_most.is_none(), "{one:?}");
        one.helps.then(|| one.at_most.unwrap_or(f64::INFINITY))
    }

    #[test]
    fn a_program_that_waits_is_helped_by_more_in_flight() {
        let waits = [(State::Running, 0.1), (State::Network, 0.9)];
        let bound = |remedy| bound(&waits, 0.1, 0.1, remedy);
        assert_eq!(bound(Remedy::AsyncOrThreads), Some(10.0));
        assert_eq!(bound(Remedy::Processes), None);
        assert_eq!(bound(Remedy::MoreCores), None);
        assert!(bound(Remedy::FasterSource).is_some_and(|bound| (9.9..10.1).contains(&bound)));
    }

    #[test]
    fn a_program_that_computes_alone_is_helped_by_processes() {
        let bound = |remedy| bound(&[(State::Running, 1.0)], 1.0, 1.0, remedy);
        assert_eq!(bound(Remedy::Processes), Some(2.0));
        assert_eq!(bound(Remedy::AsyncOrThreads), None);
    }

    #[test]
    fn more_threads_than_cores_are_helped_by_cores() {
        let bound = |remedy| bound(&[(State::Running, 1.0)], 2.0, 6.0, remedy);
        assert_eq!(bound(Remedy::MoreCores), Some(3.0));
        assert_eq!(bound(Remedy::Processes), None);
    }

    #[test]
    fn a_program_that_does_both_in_turn_is_helped_by_overlapping() {
        let half = [(State::Running, 0.5), (State::Sleep, 0.5)];
        assert_eq!(bound(&half, 0.5, 0.5, Remedy::AsyncOrThreads), Some(2.0));
    }

    #[test]
    fn processors_that_others_have_are_told() {
        let shares = [
            (State::Running, 0.2),
            (State::Runnable, 0.2),
            (State::Disk, 0.6),
        ];
        assert_eq!(bound(&shares, 0.2, 0.4, Remedy::MoreCores), Some(1.25));
    }

    #[test]
    fn nothing_is_advised_where_nothing_was_seen() {
        let found = Findings::planted(&[(State::Unknown, 1.0)], 0.0, 0.0);
        assert!(advise(Kind::TooShort, &found).is_empty());
    }

    #[test]
    fn a_lock_leaves_the_cores_to_processes() {
        let mut found = Findings::planted(&[(State::Running, 1.0)], 1.0, 1.0);
        found.is_python_contended = true;
        let advice = advise(judge(&found), &found);
        let processes = advice
            .iter()
            .find(|advice| advice.remedy == Remedy::Processes)
            .unwrap();
        assert_eq!(processes.at_most, Some(2.0));
        assert!(processes.why.contains("interpreter lock"));
    }
}
