//! What one shard notes of itself: written by its thread alone, read by the sampler at any moment.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nephila_ledger::{Spent, State, VisitTimes, Window};

use super::visits::Visits;

/// How many of a shard's things there are at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Levels {
    pub(crate) slots: u64,
    pub(crate) in_flight: u64,
    pub(crate) turns: u64,
    pub(crate) ready: u64,
    pub(crate) queued: u64,
}

/// How a visit ended, for the counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct VisitEnd {
    pub(crate) is_page: bool,
    pub(crate) is_failure: bool,
    pub(crate) is_throttled: bool,
    pub(crate) wire_bytes: u64,
}

/// One shard's account. Times are microseconds, levels are times microseconds.
///
/// Every number has one writer, so that no instruction of more than a load and a store is needed.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// The thread, as the system knows it; 0 before it runs.
    thread: AtomicI32,
    /// Since when the thread works, or waits.
    since: AtomicU64,
    is_waiting: AtomicBool,
    /// What it waits for, when it waits next.
    reason: AtomicU8,
    spent: [AtomicU64; Spent::ALL.len()],
    longest_stall: AtomicU64,
    /// How long the thread had worked when it last looked at the network and found something there.
    before_look: AtomicU64,
    levels_since: AtomicU64,
    levels: [AtomicU64; LEVELS],
    level_times: [AtomicU64; LEVELS],
    pages: AtomicU64,
    visits: AtomicU64,
    failures: AtomicU64,
    throttled: AtomicU64,
    wire_bytes: AtomicU64,
    states: [AtomicU64; State::ALL.len()],
    /// Held for a moment by the thread, once a visit, and by the sampler, once in some seconds.
    ended: Mutex<Visits>,
}

const LEVELS: usize = 5;
/// Microseconds that looking at the network takes where something is there; longer is waiting.
const A_LOOK: u64 = 50;

fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn seconds(counter: &AtomicU64) -> f64 {
    counter.load(Ordering::Relaxed) as f64 / 1e6
}

impl Account {
    /// Notes which thread works here, as the system knows it.
    pub(crate) fn note_thread(&self, thread: i32) {
        self.thread.store(thread, Ordering::Relaxed);
    }

    /// The thread, where there is one yet.
    pub(crate) fn thread(&self) -> Option<i32> {
        Some(self.thread.load(Ordering::Relaxed)).filter(|thread| *thread > 0)
    }

    /// What the thread waits for when it waits next.
    pub(crate) fn set_reason(&self, reason: Spent) {
        self.reason.store(reason as u8, Ordering::Relaxed);
    }

    /// The thread has nothing to do from now on.
    pub(crate) fn wait(&self, now: Duration) {
        let now = micros(now);
        let worked = now.saturating_sub(self.since.load(Ordering::Relaxed));
        self.spend(Spent::Working as usize, worked);
        if worked > self.longest_stall.load(Ordering::Relaxed) {
            self.longest_stall.store(worked, Ordering::Relaxed);
        }
        self.before_look.store(worked, Ordering::Relaxed);
        self.since.store(now, Ordering::Relaxed);
        self.is_waiting.store(true, Ordering::Relaxed);
    }

    /// The thread goes on. Returns for how long it waited.
    pub(crate) fn wake(&self, now: Duration) -> Duration {
        let now = micros(now);
        let waited = now.saturating_sub(self.since.load(Ordering::Relaxed));
        self.spend(usize::from(self.reason.load(Ordering::Relaxed)), waited);
        self.since.store(now, Ordering::Relaxed);
        self.is_waiting.store(false, Ordering::Relaxed);
        if waited > A_LOOK {
            self.before_look.store(0, Ordering::Relaxed);
        }
        Duration::from_micros(waited)
    }

    /// Adds to what was spent so, by its place in [`Spent::ALL`].
    fn spend(&self, place: usize, micros: u64) {
        if let Some(spent) = self.spent.get(place) {
            add(spent, micros);
        }
    }

    /// For how long what the thread now sees of the network has waited for it, in the mean: since it last
    /// looked, and half of the time before that, if it then came straight from other work.
    pub(crate) fn waited_for_thread(&self, now: Duration) -> Duration {
        let since = micros(now).saturating_sub(self.since.load(Ordering::Relaxed));
        Duration::from_micros(since + self.before_look.load(Ordering::Relaxed) / 2)
    }

    /// The levels change.
    pub(crate) fn note_levels(&self, levels: Levels, now: Duration) {
        let now = micros(now);
        let passed = now.saturating_sub(self.levels_since.swap(now, Ordering::Relaxed));
        let new = [
            levels.slots,
            levels.in_flight,
            levels.turns,
            levels.ready,
            levels.queued,
        ];
        for ((level, times), new) in self.levels.iter().zip(&self.level_times).zip(new) {
            add(times, level.load(Ordering::Relaxed).saturating_mul(passed));
            level.store(new, Ordering::Relaxed);
        }
    }

    /// A visit ended; what waits for its commit is noted by the committer.
    pub(crate) fn note_visit(&self, times: &VisitTimes, end: VisitEnd, url: &str) {
        add(&self.visits, 1);
        add(&self.pages, u64::from(end.is_page));
        add(&self.failures, u64::from(end.is_failure));
        add(&self.throttled, u64::from(end.is_throttled));
        add(&self.wire_bytes, end.wire_bytes);
        for ((_, time), counter) in times.iter().zip(&self.states) {
            add(counter, micros(time));
        }
        if end.is_page {
            self.ended().note(times, url);
        }
    }

    /// The visits that ended, by their times.
    pub(crate) fn ended(&self) -> std::sync::MutexGuard<'_, Visits> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All since the beginning, as of now. The longest stall is that since this was last asked.
    pub(crate) fn read(&self, now: Duration) -> Window {
        let mut window = Window {
            pages: self.pages.load(Ordering::Relaxed) as f64,
            visits: self.visits.load(Ordering::Relaxed) as f64,
            failures: self.failures.load(Ordering::Relaxed) as f64,
            throttled: self.throttled.load(Ordering::Relaxed) as f64,
            wire_bytes: self.wire_bytes.load(Ordering::Relaxed) as f64,
            longest_stall_seconds: self.longest_stall.swap(0, Ordering::Relaxed) as f64 / 1e6,
            ..Window::default()
        };
        for (sum, counter) in window.states.iter_mut().zip(&self.states) {
            *sum = seconds(counter);
        }
        for (sum, counter) in window.loop_seconds.iter_mut().zip(&self.spent) {
            *sum = seconds(counter);
        }
        // What lasts is counted up to now.
        let now = micros(now);
        let lasting = now.saturating_sub(self.since.load(Ordering::Relaxed)) as f64 / 1e6;
        let place = match self.is_waiting.load(Ordering::Relaxed) {
            true => usize::from(self.reason.load(Ordering::Relaxed)),
            false => Spent::Working as usize,
        };
        if let Some(sum) = window.loop_seconds.get_mut(place) {
            *sum += lasting;
        }
        let passed = now.saturating_sub(self.levels_since.load(Ordering::Relaxed));
        let mut levels = self
            .levels
            .iter()
            .zip(&self.level_times)
            .map(|(level, times)| {
                let lasting = level.load(Ordering::Relaxed).saturating_mul(passed);
                (times.load(Ordering::Relaxed) + lasting) as f64 / 1e6
            });
        let mut next = || levels.next().unwrap_or(0.0);
        window.slots = next();
        window.slots_taken = next();
        window.turns = next();
        window.ready = next();
        window.queued = next();
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn a_threads_time_is_split_without_a_gap() {
        let account = Account::default();
        account.set_reason(Spent::Politeness);
        account.wait(10 * MILLI);
        assert_eq!(account.wake(30 * MILLI), 20 * MILLI);
        account.set_reason(Spent::SlotsTaken);
        assert_eq!(account.waited_for_thread(35 * MILLI), 5 * MILLI);
        account.wait(40 * MILLI);
        let window = account.read(100 * MILLI);
        assert_eq!(
            window.loop_share(Spent::Working),
            0.0,
            "the loops are the reader's to set"
        );
        assert!((window.loop_seconds[Spent::Working as usize] - 0.020).abs() < 1e-9);
        assert!((window.loop_seconds[Spent::Politeness as usize] - 0.020).abs() < 1e-9);
        assert!((window.loop_seconds[Spent::SlotsTaken as usize] - 0.060).abs() < 1e-9);
        assert!((window.longest_stall_seconds - 0.010).abs() < 1e-9);
        assert_eq!(account.read(100 * MILLI).longest_stall_seconds, 0.0);
    }

    #[test]
    fn levels_count_for_as_long_as_they_last() {
        let account = Account::default();
        let levels = |in_flight| Levels {
            slots: 10,
            in_flight,
            ..Levels::default()
        };
        account.note_levels(levels(4), Duration::ZERO);
        account.note_levels(levels(8), 500 * MILLI);
        let window = account.read(1_000 * MILLI);
        assert!((window.slots - 10.0).abs() < 1e-9);
        assert!((window.slots_taken - 6.0).abs() < 1e-9);
    }
}
