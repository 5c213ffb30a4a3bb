//! What is known of a thread: the scheduler's account of it, and what it was seen to wait for.

use super::accounts::Schedule;
use super::program_state::{ByState, State};

/// A thread while it is looked at, and afterwards.
#[derive(Clone, Debug)]
pub(super) struct ThreadRecord {
    pub(super) id: u32,
    pub(super) name: String,
    /// Seconds that it was seen to be there.
    pub(super) seconds: f64,
    pub(super) schedule: Schedule,
    /// What it did when it was last looked at.
    pub(super) state: State,
    /// Seconds of the looks at which it was found waiting, by what for.
    waits_seen: ByState,
}

impl ThreadRecord {
    pub(super) fn new(id: u32) -> Self {
        Self {
            id,
            name: String::new(),
            seconds: 0.0,
            schedule: Schedule::default(),
            state: State::Running,
            waits_seen: ByState::default(),
        }
    }

    /// Whether it has neither run nor been ready since it was last found waiting: it waits still, and for
    /// the same.
    pub(super) fn waits_still(&self, schedule: Schedule) -> bool {
        self.schedule == schedule && self.state != State::Running
    }

    /// One more look, `seconds` after the one before.
    pub(super) fn note(&mut self, seconds: f64, schedule: Schedule, state: State) {
        self.seconds += seconds;
        self.schedule = schedule;
        self.state = state;
        if state != State::Running {
            self.waits_seen.add(state, seconds);
        }
    }

    /// Its seconds by state. Running and ready are the scheduler's own figures; what is left it waited,
    /// and what for is shared out as it was seen.
    pub(super) fn by_state(&self) -> ByState {
        const NANOSECONDS: f64 = 1e9;
        let ran = self.schedule.ran as f64 / NANOSECONDS;
        let queued = self.schedule.queued as f64 / NANOSECONDS;
        let waited = (self.seconds - ran - queued).max(0.0);
        let seen = self.waits_seen.sum();
        let mut by_state = if seen > 0.0 {
            self.waits_seen.times(waited / seen)
        } else {
            let mut unseen = ByState::default();
            // A thread that was seen only ready or running did not wait: the rest is rounding.
            unseen.add(State::Unknown, waited.min(self.seconds * 0.02));
            unseen
        };
        by_state.add(State::Running, ran);
        by_state.add(State::Runnable, queued);
        by_state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(ran: u64, queued: u64, slices: u64) -> Schedule {
        Schedule {
            ran,
            queued,
            slices,
        }
    }

    #[test]
    fn running_is_exact_and_waiting_is_shared_out_as_it_was_seen() {
        let mut thread = ThreadRecord::new(1);
        thread.note(1.0, schedule(0, 0, 1), State::Running);
        thread.note(2.0, schedule(500_000_000, 0, 2), State::Network);
        thread.note(1.0, schedule(1_500_000_000, 500_000_000, 3), State::Disk);
        let by_state = thread.by_state();
        assert_eq!(by_state.get(State::Running), 1.5);
        assert_eq!(by_state.get(State::Runnable), 0.5);
        assert!((by_state.get(State::Network) - 4.0 / 3.0).abs() < 1e-9);
        assert!((by_state.sum() - 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_thread_that_was_not_given_a_processor_waits_still() {
        let mut thread = ThreadRecord::new(1);
        thread.note(1.0, schedule(5, 5, 2), State::Lock);
        assert!(thread.waits_still(schedule(5, 5, 2)));
        assert!(!thread.waits_still(schedule(6, 5, 3)));
        thread.note(1.0, schedule(6, 5, 3), State::Running);
        assert!(!thread.waits_still(schedule(6, 5, 3)));
    }
}
