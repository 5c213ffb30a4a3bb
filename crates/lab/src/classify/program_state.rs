//! What a thread, or a whole program, is doing at a moment.

use serde::{Deserialize, Serialize};

/// What it is doing: a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Runs on a processor.
    Running,
    /// Could run, and does not: others have the processors.
    Runnable,
    /// Waits for a disk.
    Disk,
    /// Waits for the network: a socket of the internet's protocols.
    Network,
    /// Waits for a time to come.
    Sleep,
    /// Waits for a person at a terminal.
    Terminal,
    /// Waits for another process at a pipe or a local socket.
    Pipe,
    /// Waits for another thread: a lock, a condition, the end of a thread.
    Lock,
    /// Waits for a child process to end.
    Child,
    /// Waits for something that is none of the above, or that the system does not tell.
    Unknown,
}

/// How many there are.
pub(super) const STATES: usize = State::ALL.len();

impl State {
    /// All of them. Those further to the front explain more: a thread that waits for another one is
    /// explained by what that one does.
    pub const ALL: [Self; 10] = [
        Self::Running,
        Self::Runnable,
        Self::Disk,
        Self::Network,
        Self::Sleep,
        Self::Terminal,
        Self::Pipe,
        Self::Lock,
        Self::Child,
        Self::Unknown,
    ];

    /// As a person says it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Running => "computing",
            Self::Runnable => "ready to compute, with no processor free",
            Self::Disk => "waiting for the disk",
            Self::Network => "waiting for the network",
            Self::Sleep => "waiting for a time to come",
            Self::Terminal => "waiting for the terminal",
            Self::Pipe => "waiting for another process (pipe, local socket)",
            Self::Lock => "waiting for another thread (lock, join)",
            Self::Child => "waiting for a child process",
            Self::Unknown => "waiting for something else",
        }
    }

    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Runnable => "runnable",
            Self::Disk => "disk",
            Self::Network => "network",
            Self::Sleep => "sleep",
            Self::Terminal => "terminal",
            Self::Pipe => "pipe",
            Self::Lock => "lock",
            Self::Child => "child",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it explains itself: what waits for another thread or process is explained by those.
    pub(super) fn is_cause(self) -> bool {
        matches!(
            self,
            Self::Disk | Self::Network | Self::Sleep | Self::Terminal
        )
    }
}

/// Seconds, or shares, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ByState([f64; STATES]);

impl ByState {
    pub(super) fn get(&self, state: State) -> f64 {
        self.0.get(state as usize).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, state: State, value: f64) {
        if let Some(sum) = self.0.get_mut(state as usize) {
            *sum += value;
        }
    }

    pub(super) fn sum(&self) -> f64 {
        self.0.iter().sum()
    }

    pub(super) fn times(mut self, factor: f64) -> Self {
        self.0.iter_mut().for_each(|value| *value *= factor);
        self
    }

    pub(super) fn plus(mut self, other: &Self) -> Self {
        self.0
            .iter_mut()
            .zip(other.0)
            .for_each(|(sum, value)| *sum += value);
        self
    }

    /// Those above zero.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (State, f64)> {
        let pairs = State::ALL.into_iter().zip(self.0);
        pairs.filter(|(_, value)| *value > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_own_place() {
        let mut by_state = ByState::default();
        for (place, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(state as usize, place);
            by_state.add(state, place as f64);
        }
        assert_eq!(by_state.get(State::Child), 8.0);
        assert_eq!(by_state.sum(), 45.0);
        assert_eq!(by_state.plus(&by_state).times(0.5), by_state);
        let names: std::collections::BTreeSet<_> = State::ALL.map(State::name).into();
        assert_eq!(names.len(), STATES);
    }
}
