//! How a crawl is stopped, paused and given more or fewer slots, in plain words.
//!
//! A crawl runs until nothing is left, a limit is reached, or somebody asks it to stop. Asked
//! once, it gives out no more leases; the fetches in flight have [`Control::GRACE`] to finish;
//! then everything is committed and the run ends. Asked twice, it ends at once: what was
//! committed stays, what was in flight is fetched again by `resume`.
//!
//! Paused, it gives out no leases either, and what is in flight finishes and is committed; but it waits to
//! be told to go on, and a limit that is reached meanwhile ends it all the same.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::journal::StopReason;

/// How far a run is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It gives out leases.
    Running,
    /// It gives out none until it is told to go on.
    Paused,
    /// It gives out none, and waits for those in flight.
    Draining(StopReason),
    /// It is over: in good order, or because something failed.
    Ended,
}

/// Stops a crawl from outside: from a signal, another thread, or a test. Clones act on the same
/// crawl.
#[derive(Clone, Debug)]
pub struct Control {
    phase: Arc<watch::Sender<Phase>>,
    concurrency: Arc<AtomicUsize>,
    /// What [`Control::set_concurrency`] goes up to.
    most_concurrency: usize,
    /// Whether somebody has said how many: then the crawl finds out no more.
    is_concurrency_said: Arc<AtomicBool>,
    /// Whether the crawl has ended, for threads that wait for it.
    ended: Arc<(Mutex<bool>, Condvar)>,
}

impl Control {
    /// How long fetches in flight may take to finish after the crawl was asked to stop.
    pub const GRACE: Duration = Duration::from_secs(10);

    /// Of a crawl with so many slots, which may become as many as `most`.
    pub(crate) fn new(concurrency: usize, most: usize) -> Control {
        let (phase, _) = watch::channel(Phase::Running);
        Control {
            phase: Arc::new(phase),
            concurrency: Arc::new(AtomicUsize::new(concurrency)),
            most_concurrency: most.max(concurrency),
            is_concurrency_said: Arc::default(),
            ended: Arc::default(),
        }
    }

    /// Asks the crawl to stop in good order. Returns at once; asking again changes nothing.
    pub fn stop(&self) {
        self.drain(StopReason::Interrupted);
    }

    /// Gives out no more leases until [`Control::resume`]; what is in flight finishes. True where it pauses
    /// now, false where the crawl is on its way to its end.
    pub fn pause(&self) -> bool {
        self.phase.send_if_modified(|phase| {
            let is_running = *phase == Phase::Running;
            if is_running {
                *phase = Phase::Paused;
            }
            is_running
        });
        self.is_paused()
    }

    /// Goes on after [`Control::pause`]. True where it runs now, false where it is on its way to its end.
    pub fn resume(&self) -> bool {
        self.phase.send_if_modified(|phase| {
            let is_paused = *phase == Phase::Paused;
            if is_paused {
                *phase = Phase::Running;
            }
            is_paused
        });
        self.phase() == Phase::Running
    }

    /// Whether it waits for [`Control::resume`].
    pub fn is_paused(&self) -> bool {
        self.phase() == Phase::Paused
    }

    /// Whether it was asked to end, or a limit was reached, and it has not ended yet.
    pub fn is_stopping(&self) -> bool {
        matches!(self.phase(), Phase::Draining(_))
    }

    /// Whether it is over.
    pub fn has_ended(&self) -> bool {
        self.phase() == Phase::Ended
    }

    /// Fetches in flight at most, over all shards, from now on: 1 at least, and no more than
    /// [`Control::most_concurrency`]. What is in flight beyond it finishes. Returns what it is now.
    ///
    /// Each thread has its share, and one slot at least. `--concurrency auto` finds out no more in this run.
    pub fn set_concurrency(&self, wanted: usize) -> usize {
        self.is_concurrency_said.store(true, Ordering::Relaxed);
        self.store_concurrency(wanted)
    }

    /// What the limit of open files (`ulimit -n`) bears.
    pub fn most_concurrency(&self) -> usize {
        self.most_concurrency
    }

    /// Why it drains, or was ended.
    pub(crate) fn reason(&self) -> StopReason {
        match self.phase() {
            Phase::Draining(reason) => reason,
            Phase::Running | Phase::Paused | Phase::Ended => StopReason::Interrupted,
        }
    }

    pub(crate) fn drain(&self, reason: StopReason) {
        self.phase.send_if_modified(|phase| {
            let is_first = matches!(phase, Phase::Running | Phase::Paused);
            if is_first {
                *phase = Phase::Draining(reason);
            }
            is_first
        });
    }

    pub(crate) fn end(&self) {
        self.phase.send_replace(Phase::Ended);
        let (ended, changed) = &*self.ended;
        *ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Notes that the crawl is over, whatever became of it: wakes all who wait for its end.
    pub fn note_end(&self) {
        self.end();
    }

    /// Waits until the crawl has ended, for `limit` at most; true when it has.
    pub fn wait_for_end(&self, limit: Duration) -> bool {
        let (ended, changed) = &*self.ended;
        let guard = ended.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(guard, limit, |ended| !*ended);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Fetches in flight at most, over all shards.
    pub fn concurrency(&self) -> usize {
        self.concurrency.load(Ordering::Relaxed)
    }

    /// What the crawl found out itself: as [`Control::set_concurrency`], for as long as nobody has said another.
    pub(crate) fn found_concurrency(&self, slots: usize) {
        if !self.is_concurrency_said.load(Ordering::Relaxed) {
            self.store_concurrency(slots);
        }
    }

    /// Whether what happens says something of how many fetches should be in flight.
    pub(crate) fn is_concurrency_open(&self) -> bool {
        self.phase() == Phase::Running && !self.is_concurrency_said.load(Ordering::Relaxed)
    }

    fn store_concurrency(&self, wanted: usize) -> usize {
        let concurrency = wanted.clamp(1, self.most_concurrency);
        self.concurrency.store(concurrency, Ordering::Relaxed);
        // The phase stays; whoever watches it looks again, and finds new slots.
        self.phase.send_modify(|_| {});
        concurrency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_when_it_is_told_to_or_with_the_crawl() {
        let control = Control::new(4, 10);
        assert!(control.pause() && control.is_paused());
        assert!(control.pause(), "twice is once");
        assert!(control.resume() && !control.is_paused());
        assert!(control.resume(), "it runs already");
        assert!(control.pause());
        control.drain(StopReason::MaxDuration);
        assert!(control.is_stopping() && !control.is_paused());
        assert!(!control.pause() && !control.resume(), "an end is an end");
        assert_eq!(control.reason(), StopReason::MaxDuration);
    }

    #[test]
    fn slots_stay_within_what_the_system_bears_and_wake_the_shards() {
        let control = Control::new(4, 10);
        let mut phase = control.subscribe();
        for (wanted, given) in [(0, 1), (7, 7), (1_000, 10)] {
            assert_eq!(control.set_concurrency(wanted), given);
            assert_eq!(control.concurrency(), given);
            assert!(phase.has_changed().unwrap());
            assert_eq!(*phase.borrow_and_update(), Phase::Running);
        }
        control.found_concurrency(5);
        assert_eq!(control.concurrency(), 10, "what was said holds");
        let control = Control::new(20, 10);
        assert_eq!(control.most_concurrency(), 20);
        control.found_concurrency(5);
        assert_eq!(control.concurrency(), 5);
        control.pause();
        assert!(!control.is_concurrency_open(), "a pause says nothing");
    }
}
