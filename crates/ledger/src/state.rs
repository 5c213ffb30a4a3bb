//! The states of a visit, and how its time is split over them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Where a visit's time goes, in the order in which it goes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its host may not be asked yet: the delay between two fetches of it.
    Politeness,
    /// Its host may be asked, and no slot is free.
    Slot,
    /// Looking up the name.
    Dns,
    /// Opening the connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// From sending the request to the end of the headers.
    FirstByte,
    /// From the end of the headers to the end of the body.
    Body,
    /// Something came, or could be begun, and the processor was at something else.
    CpuWait,
    /// Decompressing, parsing, extracting.
    Compute,
    /// In the hands of the user's callback, or waiting for a worker that runs it.
    Callback,
    /// Waiting for room on the way to the outputs.
    SinkWait,
    /// Written, and not yet durable.
    Commit,
}

impl State {
    /// All of them, in their order.
    pub const ALL: [State; 12] = [
        State::Politeness,
        State::Slot,
        State::Dns,
        State::Connect,
        State::Tls,
        State::FirstByte,
        State::Body,
        State::CpuWait,
        State::Compute,
        State::Callback,
        State::SinkWait,
        State::Commit,
    ];

    /// Its stable name, as it stands in `ledger.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Politeness => "politeness",
            State::Slot => "slot",
            State::Dns => "dns",
            State::Connect => "connect",
            State::Tls => "tls",
            State::FirstByte => "first_byte",
            State::Body => "body",
            State::CpuWait => "cpu_wait",
            State::Compute => "compute",
            State::Callback => "callback",
            State::SinkWait => "sink_wait",
            State::Commit => "commit",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            State::Politeness => "waiting for politeness",
            State::Slot => "waiting for a slot",
            State::Dns => "DNS",
            State::Connect => "connect",
            State::Tls => "TLS",
            State::FirstByte => "first byte",
            State::Body => "body",
            State::CpuWait => "waiting for CPU",
            State::Compute => "computing",
            State::Callback => "callback",
            State::SinkWait => "waiting for the sink",
            State::Commit => "committing",
        }
    }

    /// Whether it is the other side, or the way to it, that is waited for.
    pub fn is_network(self) -> bool {
        matches!(
            self,
            State::Dns | State::Connect | State::Tls | State::FirstByte | State::Body
        )
    }

    /// Whether a visit in it has a slot.
    pub fn has_slot(self) -> bool {
        !matches!(self, State::Politeness | State::Slot | State::Commit)
    }
}

/// One visit's time, split over the states without a gap: their sum is the visit's time, from when its URL
/// was the next of its host to when its outcome is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VisitTimes {
    spent: [Duration; State::ALL.len()],
}

impl VisitTimes {
    /// What was spent in `state`.
    pub fn of(&self, state: State) -> Duration {
        self.spent.get(state as usize).copied().unwrap_or_default()
    }

    /// Adds to a state.
    pub fn add(&mut self, state: State, time: Duration) {
        if let Some(spent) = self.spent.get_mut(state as usize) {
            *spent += time;
        }
    }

    /// Says that so much of what counts as `from` was `to`. Never more than there is; the sum stays.
    pub fn move_time(&mut self, from: State, to: State, time: Duration) {
        let moved = time.min(self.of(from));
        if let Some(spent) = self.spent.get_mut(from as usize) {
            *spent -= moved;
        }
        self.add(to, moved);
    }

    /// The visit's time.
    pub fn total(&self) -> Duration {
        self.spent.iter().sum()
    }

    /// Each state and what was spent in it.
    pub fn iter(&self) -> impl Iterator<Item = (State, Duration)> + '_ {
        State::ALL.into_iter().zip(self.spent.iter().copied())
    }
}

/// Splits a visit's time while it lasts: it is in one state at any moment.
#[derive(Clone, Copy, Debug)]
pub struct VisitClock {
    times: VisitTimes,
    state: State,
    /// On the clock of whoever tells the time here.
    since: Duration,
}

impl VisitClock {
    /// Begins in `state`.
    pub const fn begin(state: State, now: Duration) -> VisitClock {
        VisitClock {
            times: VisitTimes {
                spent: [Duration::ZERO; State::ALL.len()],
            },
            state,
            since: now,
        }
    }

    /// Adds what was spent in a state before it began.
    pub fn add_before(&mut self, state: State, time: Duration) {
        self.times.add(state, time);
    }

    /// What was spent in a state until its last change.
    pub fn of(&self, state: State) -> Duration {
        self.times.of(state)
    }

    /// Leaves the state that it is in and enters another.
    pub fn enter(&mut self, state: State, now: Duration) {
        self.note(now);
        self.state = state;
    }

    /// What an exchange tells of its own states happened since the last change: what is left of that time
    /// stays with the state that the visit is in.
    pub fn note_parts(&mut self, parts: &[(State, Duration)], now: Duration) {
        let before = self.times.of(self.state);
        self.note(now);
        let mut left = self.times.of(self.state).saturating_sub(before);
        for (state, time) in parts {
            let time = (*time).min(left);
            self.times.move_time(self.state, *state, time);
            left -= time;
        }
    }

    /// See [`VisitTimes::move_time`].
    pub fn move_time(&mut self, from: State, to: State, time: Duration) {
        self.times.move_time(from, to, time);
    }

    /// All until now.
    pub fn end(mut self, now: Duration) -> VisitTimes {
        self.note(now);
        self.times
    }

    fn note(&mut self, now: Duration) {
        self.times.add(self.state, now.saturating_sub(self.since));
        self.since = self.since.max(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Enter(usize, u64),
        Parts(Vec<(usize, u64)>, u64),
        Move(usize, usize, u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let state = || 0..State::ALL.len();
        let micros = || 0..5_000_000_u64;
        prop_oneof![
            (state(), micros()).prop_map(|(state, pause)| Step::Enter(state, pause)),
            (prop::collection::vec((state(), micros()), 0..6), micros())
                .prop_map(|(parts, pause)| Step::Parts(parts, pause)),
            (state(), state(), micros()).prop_map(|(from, to, time)| Step::Move(from, to, time)),
        ]
    }

    proptest! {
        #[test]
        fn the_sum_of_the_states_is_the_visits_time(
            began in 0..1_000_000_u64,
            first in 0..State::ALL.len(),
            steps in prop::collection::vec(step(), 0..40),
            rest in 0..5_000_000_u64,
        ) {
            let micros = Duration::from_micros;
            let mut now = micros(began);
            let mut clock = VisitClock::begin(State::ALL[first], now);
            for step in steps {
                match step {
                    Step::Enter(state, pause) => {
                        now += micros(pause);
                        clock.enter(State::ALL[state], now);
                    }
                    Step::Parts(parts, pause) => {
                        now += micros(pause);
                        let parts: Vec<_> =
                            parts.iter().map(|(state, time)| (State::ALL[*state], micros(*time))).collect();
                        clock.note_parts(&parts, now);
                    }
                    Step::Move(from, to, time) => {
                        clock.move_time(State::ALL[from], State::ALL[to], micros(time));
                    }
                }
            }
            now += micros(rest);
            prop_assert_eq!(clock.end(now).total(), now - micros(began));
        }
    }

    #[test]
    fn each_state_has_its_place_and_a_name_of_its_own() {
        for (place, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(state as usize, place);
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{}\"", state.as_str()));
        }
    }

    #[test]
    fn parts_beyond_the_time_that_passed_are_cut() {
        let second = Duration::from_secs(1);
        let mut clock = VisitClock::begin(State::CpuWait, Duration::ZERO);
        clock.note_parts(
            &[(State::FirstByte, 2 * second), (State::Body, second)],
            second,
        );
        let times = clock.end(second);
        assert_eq!(times.of(State::FirstByte), second);
        assert_eq!(times.total(), second);
    }
}
