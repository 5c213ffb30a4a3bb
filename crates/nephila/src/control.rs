//! How a crawl is stopped, in plain words.
//!
//! A crawl runs until nothing is left, a limit is reached, or somebody asks it to stop. Asked
//! once, it gives out no more leases; the fetches in flight have [`Control::GRACE`] to finish;
//! then everything is committed and the run ends. Asked twice, it ends at once: what was
//! committed stays, what was in flight is fetched again by `resume`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::journal::StopReason;

/// How far a run is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It gives out leases.
    Running,
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
    /// Whether the crawl has ended, for threads that wait for it.
    ended: Arc<(Mutex<bool>, Condvar)>,
}

impl Control {
    /// How long fetches in flight may take to finish after the crawl was asked to stop.
    pub const GRACE: Duration = Duration::from_secs(10);

    pub(crate) fn new(concurrency: usize) -> Control {
        let (phase, _) = watch::channel(Phase::Running);
        Control {
            phase: Arc::new(phase),
            concurrency: Arc::new(AtomicUsize::new(concurrency)),
            ended: Arc::default(),
        }
    }

    /// Asks the crawl to stop in good order. Returns at once; asking again changes nothing.
    pub fn stop(&self) {
        self.drain(StopReason::Interrupted);
    }

    /// Why it drains, or was ended.
    pub(crate) fn reason(&self) -> StopReason {
        match self.phase() {
            Phase::Draining(reason) => reason,
            Phase::Running | Phase::Ended => StopReason::Interrupted,
        }
    }

    pub(crate) fn drain(&self, reason: StopReason) {
        self.phase.send_if_modified(|phase| {
            let is_first = *phase == Phase::Running;
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

    /// From now on so many fetches in flight at most, at least one; those that are more than that end first.
    pub(crate) fn set_concurrency(&self, slots: usize) {
        self.concurrency.store(slots.max(1), Ordering::Relaxed);
    }
}
