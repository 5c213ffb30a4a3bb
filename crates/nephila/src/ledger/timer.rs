//! One visit's time, split while it lasts.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use nephila_fetch::{Fetch, FetchError, Request, Response, Times};
use nephila_frontier::Lease;
use nephila_ledger::{State, VisitClock};

use super::account::Account;
use crate::clock::Clock;

/// Notes in which state a visit is. What no state is named for is waiting for a processor: the visit could go
/// on, or its thread is between two of its steps.
pub(crate) struct VisitTimer {
    clock: Clock,
    account: Arc<Account>,
    split: Cell<VisitClock>,
}

impl VisitTimer {
    /// Of a visit that begins now.
    pub(crate) fn begin(clock: Clock, account: Arc<Account>, lease: &Lease) -> VisitTimer {
        let mut split = VisitClock::begin(State::CpuWait, clock.elapsed());
        split.add_before(State::Politeness, lease.rested_for());
        split.add_before(State::Slot, lease.ready_for());
        VisitTimer {
            clock,
            account,
            split: Cell::new(split),
        }
    }

    /// The same transport, with the times of its exchanges noted.
    pub(crate) fn over<'a, F>(&'a self, fetcher: &'a F) -> Timed<'a, F> {
        Timed {
            fetcher,
            timer: self,
        }
    }

    /// The visit comes to another state.
    pub(crate) fn enter(&self, state: State) {
        let mut split = self.split.get();
        split.enter(state, self.clock.elapsed());
        self.split.set(split);
    }

    /// Work that was asked for is done, and took so long; the rest was waiting for its turn.
    pub(crate) fn note_work(&self, took: Duration) {
        let mut split = self.split.get();
        split.note_parts(&[(State::Compute, took)], self.clock.elapsed());
        self.split.set(split);
    }

    /// For how long the other side was waited for until its first bytes came.
    pub(crate) fn first_byte(&self) -> Duration {
        self.split.get().of(State::FirstByte)
    }

    /// The visit's time until now.
    pub(crate) fn split(&self) -> VisitClock {
        self.split.get()
    }

    fn note_exchange(&self, times: &Times) {
        let now = self.clock.elapsed();
        let mut split = self.split.get();
        let parts = [
            (State::Dns, times.dns),
            (State::Connect, times.connect),
            (State::Tls, times.tls),
            (State::FirstByte, times.first_byte),
            (State::Body, times.body),
        ];
        split.note_parts(&parts, now);
        // What came waited until the thread looked; that is no time of the other side.
        let last = match times.body > times.first_byte {
            true => State::Body,
            false => State::FirstByte,
        };
        split.move_time(last, State::CpuWait, self.account.waited_for_thread(now));
        self.split.set(split);
    }
}

/// A transport whose exchanges are noted in a visit's time.
pub(crate) struct Timed<'a, F> {
    fetcher: &'a F,
    timer: &'a VisitTimer,
}

impl<F: Fetch> Fetch for Timed<'_, F> {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let fetched = self.fetcher.fetch(request).await;
        match &fetched {
            Ok(response) => self.timer.note_exchange(&response.times),
            Err(error) => self.timer.note_exchange(&error.times()),
        }
        fetched
    }
}
